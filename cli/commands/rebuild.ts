import type { Command } from "commander";
import type { Difference } from "../../app/compare-derived.ts";
import { type RebuildSummary, rebuild } from "../../app/rebuild.ts";
import { ask, canAsk } from "../ask.ts";
import { print, printJson, startProgress, tell } from "../output.ts";
import { type CommonOptions, EXIT, interruptSignal, withCommonOptions } from "../program.ts";
import { withAtlas } from "../session.ts";

interface Options extends CommonOptions {
  derived?: boolean;
}

function showDifferences(differences: readonly Difference[]): void {
  const first = differences[0]!;
  const sessions = new Set(differences.map(({ sessionId }) => sessionId)).size;
  tell(
    `Computed again, ${differences.length} results of ${sessions} sessions differ from the log. The first is in ${first.topic}:`,
  );
  tell(`  session ${first.sessionId}: ${first.what}`);
  tell(
    "`atlas log verify` lists sessions of one learning key that finished out of order, which drift depends on.",
  );
}

async function mayPublish(options: Options, differences: readonly Difference[]): Promise<boolean> {
  showDifferences(differences);
  if (options.yes === true) return true;
  if (!canAsk()) {
    tell("Nothing was published. Run it again with --yes to publish them as revisions.");
    return false;
  }
  return /^y/i.test(await ask("Publish them as revisions? [y/N] "));
}

async function run(options: Options): Promise<void> {
  const signal = interruptSignal();
  const progress = startProgress(options.quiet);
  const summary: RebuildSummary = await withAtlas(options, (atlas) =>
    rebuild(atlas, {
      derived: options.derived === true,
      mayPublish: (differences) => {
        progress.done();
        return mayPublish(options, differences);
      },
      onProgress: (what, events) => progress.update(`${what}: ${events} events`),
      signal,
    }),
  );
  progress.done();
  if (options.json === true) printJson(summary);
  else {
    if (summary.derived !== undefined) {
      const { recomputed, differences, published } = summary.derived;
      print(
        `Computed ${recomputed} derived events again: ${differences === 0 ? "all equal those in the log" : `${differences} differ, ${published} published`}.`,
      );
    }
    print(`Rebuilt the read models of ${summary.sessions} sessions from ${summary.events} events.`);
  }
  if (summary.derived !== undefined && summary.derived.differences > 0 && summary.derived.published === 0)
    process.exitCode = EXIT.partial;
}

/** `atlas rebuild`. */
export function rebuildCommand(program: Command): void {
  withCommonOptions(program.command("rebuild"))
    .description("rebuild the read models from the log, beside the live ones, and swap")
    .option(
      "--derived",
      "also compute rewards, drift and review again from what happened, and compare with the log",
    )
    .addHelpText("after", "\nExit code 3 when recomputed events differ and were not published.")
    .action(run);
}
