import { statSync } from "node:fs";
import type { Atlas } from "../../app/open-atlas.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import { importRecorded } from "../../intake/import/import-recorded.ts";
import type { ImportSummary } from "../../intake/import/intake.ts";
import { mayHoldConversations } from "../../intake/import/may-hold-conversations.ts";
import { checkReadable } from "../../intake/import/parse-recorded.ts";
import { checkLearningKey } from "../../schemas/learning-key.ts";
import { maskingBy } from "../../schemas/masked.ts";
import { print, printJson, startProgress, tell } from "../output.ts";
import { type CommonOptions, EXIT, interruptSignal } from "../program.ts";
import { ATLAS } from "../program-name.ts";
import { READING, withAtlas } from "../session.ts";

interface Options extends CommonOptions {
  learningKey?: string;
  at?: string;
  fromPostgres?: string;
  fromJsonl?: string;
}

type Common = Omit<Parameters<Atlas["sessions"]["migrate"]>[0], "from">;

/** Named problems beyond this many are only counted. */
const SHOWN = 20;
/** Below this, what makes the database fast takes longer than it saves. */
const BULK_BYTES = 4 * 1024 * 1024;

function timeOf(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new AtlasError("ATLAS_USAGE", `${JSON.stringify(text)} is not a time`, {
    where: "--at",
    hint: "Give an ISO time such as 2026-01-31T12:00:00Z.",
  });
}

/** What to do, where the arguments name exactly one source. */
function workOf(files: string[], options: Options): (atlas: Atlas, common: Common) => Promise<ImportSummary> {
  const { fromPostgres, fromJsonl, learningKey } = options;
  const sources = [files.length > 0, fromPostgres !== undefined, fromJsonl !== undefined].filter(Boolean);
  if (sources.length !== 1) {
    throw new AtlasError("ATLAS_USAGE", sources.length === 0 ? "nothing to import" : "more than one source", {
      hint: "Name files of recorded conversations, or --from-postgres URL, or --from-jsonl FILE.",
    });
  }
  if (learningKey !== undefined) checkLearningKey(learningKey, "--learning-key");
  if (files.length > 0) return (atlas, common) => atlas.sessions.import({ files, learningKey, ...common });
  if (learningKey !== undefined) {
    throw new AtlasError("ATLAS_USAGE", "sessions of the Python SDK keep their learning keys", {
      where: "--learning-key",
    });
  }
  const from = fromPostgres === undefined ? { file: fromJsonl! } : { databaseUrl: fromPostgres };
  return (atlas, common) => atlas.sessions.migrate({ from, ...common });
}

/** Says what is wrong with files that hold nothing, as an import would. */
const importNothing = (files: string[], { learningKey }: Options): Promise<ImportSummary> =>
  importRecorded({
    files,
    learningKey,
    rulesHash: "",
    log: { append: async () => undefined, mask: maskingBy() },
  });

/** Whether there is so much to import that the database should be fast rather than soon there. */
const isBulk = (files: readonly string[], { fromPostgres, fromJsonl }: Options): boolean =>
  fromPostgres !== undefined ||
  [...files, ...(fromJsonl === undefined ? [] : [fromJsonl])].some((file) => {
    const found = statSync(file, { throwIfNoEntry: false });
    return found !== undefined && (!found.isFile() || found.size > BULK_BYTES);
  });

/** `atlas import`. */
export async function importSessions(files: string[], options: Options): Promise<void> {
  const signal = interruptSignal();
  const at = timeOf(options.at);
  const work = workOf(files, options);
  // No log is made for what cannot be imported.
  await checkReadable(options.fromJsonl === undefined ? files : [options.fromJsonl]);
  if (files.length > 0 && !(await mayHoldConversations(files)))
    return report(await importNothing(files, options), options);
  const progress = startProgress(options.quiet);
  const summary = await withAtlas(
    options,
    async (atlas) => {
      try {
        const imported = await work(atlas, {
          at,
          signal,
          onProgress: ({ sessions, events }) => progress.update(`${sessions} sessions, ${events} events`),
        });
        // On Kafka workers consume, which nobody waits for.
        if (atlas.log.kind === "postgres") await atlas.settled({ signal });
        return imported;
      } finally {
        progress.done();
      }
    },
    // Consumers begin when all is there: in large steps, which takes them half the time.
    { ...READING, bulk: isBulk(files, options) },
  );
  report(summary, options);
}

function report(summary: ImportSummary, options: Options): void {
  for (const { file, line, reason } of summary.problems.slice(0, SHOWN)) tell(`${file}:${line}: ${reason}`);
  if (summary.malformed > SHOWN) tell(`… and ${summary.malformed - SHOWN} more`);
  if (options.quiet !== true)
    for (const { file, line, reason } of summary.warnings.slice(0, SHOWN)) tell(`${file}:${line}: ${reason}`);
  if (options.json === true) printJson(summary);
  else {
    const held = summary.skippedSessions === 0 ? "" : `, ${summary.skippedSessions} were there already`;
    const bad = summary.malformed === 0 ? "" : `, ${summary.malformed} malformed`;
    print(`Imported ${summary.sessions} sessions (${summary.events} events)${held}${bad}.`);
    if (options.quiet !== true && summary.sessions > 0)
      print(
        `Next: ${ATLAS} sessions list · ${ATLAS} review approve --all --status pending · ${ATLAS} export --output traces.jsonl`,
      );
  }
  if (summary.malformed > 0) process.exitCode = EXIT.partial;
}
