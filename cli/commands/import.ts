import type { Command } from "commander";
import { AtlasError } from "../../errors/atlas-error.ts";
import { print, printJson, startProgress, tell } from "../output.ts";
import { type CommonOptions, EXIT, interruptSignal, withCommonOptions } from "../program.ts";
import { withAtlas } from "../session.ts";

interface Options extends CommonOptions {
  learningKey?: string;
  at?: string;
}

/** Named problems beyond this many are only counted. */
const SHOWN = 20;

function timeOf(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new AtlasError("ATLAS_USAGE", `${JSON.stringify(text)} is not a time`, {
    where: "--at",
    hint: "Give an ISO time such as 2026-01-31T12:00:00Z.",
  });
}

async function importFiles(files: string[], options: Options): Promise<void> {
  const signal = interruptSignal();
  const at = timeOf(options.at);
  const progress = startProgress(options.quiet);
  const summary = await withAtlas(options, async (atlas) => {
    try {
      const imported = await atlas.importRuns({
        files,
        learningKey: options.learningKey,
        at,
        signal,
        onProgress: ({ sessions, events }) => progress.update(`${sessions} sessions, ${events} events`),
        onUnordered: () =>
          tell(
            "No consumer keeps up: sessions are appended without waiting, and drift may compare them in another order. Start `atlas worker`.",
          ),
      });
      if (atlas.pipeline !== undefined) await atlas.settled({ signal });
      return imported;
    } finally {
      progress.done();
    }
  });
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
        "Next: atlas sessions list · atlas review approve --all --status pending · atlas export --output traces.jsonl",
      );
  }
  if (summary.malformed > 0) process.exitCode = EXIT.partial;
}

/** `atlas import`. */
export function importCommand(program: Command): void {
  withCommonOptions(
    program
      .command("import")
      .argument("<file...>", "JSON lines, or one JSON array, of recorded conversations"),
  )
    .description("import recorded conversations as the sessions they were; importing them again adds nothing")
    .option("--learning-key <key>", "learning key of every session")
    .option("--at <time>", "when conversations without recorded times happened")
    .addHelpText("after", "\nExit code 3 when some lines were malformed and the rest went in.")
    .action(importFiles);
}
