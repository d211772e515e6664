import { statSync } from "node:fs";
import type { Atlas } from "../../app/open-atlas.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import { formatNamed } from "../../intake/formats/formats.ts";
import { checkOptions, importRecorded, type RecordedOptions } from "../../intake/import/import-recorded.ts";
import type { ImportSummary } from "../../intake/import/intake.ts";
import { mayHoldConversations } from "../../intake/import/may-hold-conversations.ts";
import { checkReadable } from "../../intake/import/read-recordings.ts";
import { checkLearningKey } from "../../schemas/learning-key.ts";
import { maskingBy } from "../../schemas/masked.ts";
import { type ImportFlags, recordedOptions } from "../import-flags.ts";
import { reportImport } from "../import-report.ts";
import { startProgress } from "../output.ts";
import { EXIT, interruptSignal } from "../program.ts";
import { READING, withAtlas } from "../session.ts";

type Common = Omit<Parameters<Atlas["sessions"]["migrate"]>[0], "from">;

/** Below this, what makes the database fast takes longer than it saves. */
const BULK_BYTES = 4 * 1024 * 1024;

/** Flags that say how recordings of others are read: what the Python SDK recorded is known. */
const OF_RECORDINGS = {
  learningKey: "--learning-key",
  format: "--format",
  dryRun: "--dry-run",
  tools: "--tools",
  groupBy: "--group-by",
  rewardScale: "--reward-scale",
  timeZone: "--time-zone",
  keepSecrets: "--keep-secrets",
  again: "--again",
} as const;

function checkSources(files: string[], flags: ImportFlags): void {
  const { fromPostgres, fromJsonl } = flags;
  const sources = [files.length > 0, fromPostgres !== undefined, fromJsonl !== undefined].filter(Boolean);
  if (sources.length !== 1) {
    throw new AtlasError("ATLAS_USAGE", sources.length === 0 ? "nothing to import" : "more than one source", {
      hint: "Name files of recorded conversations, or --from-postgres URL, or --from-jsonl FILE.",
    });
  }
  if (flags.learningKey !== undefined) checkLearningKey(flags.learningKey, "--learning-key");
  if (files.length > 0) return;
  for (const [name, flag] of Object.entries(OF_RECORDINGS)) {
    if (flags[name as keyof typeof OF_RECORDINGS] === undefined) continue;
    throw new AtlasError("ATLAS_USAGE", "sessions of the Python SDK are taken over as they are", {
      where: flag,
    });
  }
}

/** What to do with an open Atlas. */
function workOf(
  files: string[],
  { fromPostgres, fromJsonl, again }: ImportFlags,
  recorded: RecordedOptions,
): (atlas: Atlas, common: Common) => Promise<ImportSummary> {
  if (files.length > 0)
    return (atlas, common) => atlas.sessions.import({ files, again, ...recorded, ...common });
  const from = fromPostgres === undefined ? { file: fromJsonl! } : { databaseUrl: fromPostgres };
  return (atlas, common) => atlas.sessions.migrate({ from, ...common });
}

/** Reads files and says what is in them, as an import would. */
const importNothing = (files: string[], recorded: RecordedOptions): Promise<ImportSummary> =>
  importRecorded({
    ...recorded,
    files,
    rulesHash: "",
    log: { append: async () => undefined, mask: maskingBy() },
  });

/** Whether there is so much to import that the database should be fast rather than soon there. */
const isBulk = (files: readonly string[], { fromPostgres, fromJsonl }: ImportFlags): boolean =>
  fromPostgres !== undefined ||
  [...files, ...(fromJsonl === undefined ? [] : [fromJsonl])].some((file) => {
    const found = statSync(file, { throwIfNoEntry: false });
    return found !== undefined && (!found.isFile() || found.size > BULK_BYTES);
  });

/** `atlas import`. */
export async function importSessions(files: string[], flags: ImportFlags): Promise<void> {
  const signal = interruptSignal();
  checkSources(files, flags);
  const recorded = recordedOptions(flags);
  checkOptions(recorded);
  const format = recorded.format === undefined ? undefined : formatNamed(recorded.format);
  const { timeZone, at } = recorded;
  // No log is made for what cannot be imported.
  await checkReadable(flags.fromJsonl === undefined ? files : [flags.fromJsonl]);
  const isIdle =
    files.length > 0 && (flags.dryRun === true || !(await mayHoldConversations(files, { format, timeZone })));
  if (isIdle) return report(await importNothing(files, recorded), flags);
  const work = workOf(files, flags, recorded);
  const progress = startProgress(flags.quiet);
  const summary = await withAtlas(
    flags,
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
    { ...READING, bulk: isBulk(files, flags) },
  );
  report(summary, flags);
}

function report(summary: ImportSummary, flags: ImportFlags): void {
  reportImport(summary, flags);
  if (summary.malformed > 0) process.exitCode = EXIT.partial;
}
