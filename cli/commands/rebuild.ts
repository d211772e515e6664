import type { RebuildOptions, RebuildSummary } from "../../app/rebuild.ts";
import type { Difference } from "../../derivation/compare-derived.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import { ask, canAsk } from "../ask.ts";
import { print, printJson, startProgress, tell } from "../output.ts";
import { type CommonOptions, EXIT, interruptSignal } from "../program.ts";
import { withAtlas } from "../session.ts";

interface Options extends CommonOptions {
  derived?: boolean;
  topics?: string;
}

/** How many differences of each kind are shown. */
const SHOWN = 10;

type All = Parameters<NonNullable<RebuildOptions["mayPublish"]>>[1];

function showDifferences(differences: readonly Difference[], { count, explained, sessions }: All): void {
  const first = differences.find((difference) => difference.explained === undefined);
  if (first !== undefined) {
    tell(
      `Computed again, ${count - explained} results of ${sessions.differing} sessions differ from the log. The first is in ${first.topic}:`,
    );
    tell(`  session ${first.sessionId}: ${first.what}`);
  }
  if (explained === 0) return;
  tell(`${explained} results of ${sessions.explained} sessions had to differ, and are no faults:`);
  const shown = differences.filter((difference) => difference.explained !== undefined).slice(0, SHOWN);
  for (const { topic, sessionId, explained: why } of shown)
    tell(`  ${topic} of session ${sessionId}: ${why}`);
  if (explained > shown.length) tell(`  … and ${explained - shown.length} more`);
}

async function mayPublish(options: Options, differences: readonly Difference[], all: All): Promise<boolean> {
  showDifferences(differences, all);
  if (all.unsettled === 0) return false;
  if (options.yes === true) return true;
  if (!canAsk()) {
    tell("Nothing was published. Run it again with --yes to publish them as revisions.");
    return false;
  }
  return /^y/i.test(await ask("Publish them as revisions? [y/N] "));
}

function topicsOf({ topics, derived }: Options): string[] | undefined {
  if (topics === undefined) return undefined;
  const names = topics.split(",").map((name) => name.trim());
  if (derived !== true || names.includes(""))
    throw new AtlasError("ATLAS_USAGE", derived ? "a name is empty" : "it goes with --derived", {
      where: "--topics",
      hint: "As in `atlas rebuild --derived --topics rewards,drift`.",
    });
  return names;
}

/** `atlas rebuild`. */
export async function run(options: Options): Promise<void> {
  const topics = topicsOf(options);
  const signal = interruptSignal();
  const progress = startProgress(options.quiet);
  const summary: RebuildSummary = await withAtlas(
    options,
    (atlas) =>
      atlas.rebuild({
        derived: options.derived === true,
        topics,
        mayPublish: (differences, all) => {
          progress.done();
          return mayPublish(options, differences, all);
        },
        onProgress: (what, events) => progress.update(`${what}: ${events} events`),
        signal,
      }),
    // Consumers of a topic that lost something stop: then they start when it is whole.
    topics === undefined ? { bulk: true } : { bulk: true, consumers: false },
  );
  progress.done();
  if (options.json === true) printJson(summary);
  else {
    for (const { topic, partitions, restored } of summary.topics ?? [])
      print(
        partitions === 0
          ? `${topic} holds all that was derived.`
          : `Put ${restored} events back into ${topic}, in ${partitions} partitions.`,
      );
    if (summary.derived !== undefined) {
      const { recomputed, differences, explained, published } = summary.derived;
      const differing = `${differences} differ, ${explained} of them explained, ${published} published`;
      print(
        `Computed ${recomputed} derived events again: ${differences === 0 ? "all equal those in the log" : differing}.`,
      );
    }
    print(`Rebuilt the read models of ${summary.sessions} sessions from ${summary.events} events.`);
  }
  const { differences = 0, explained = 0, published = 0 } = summary.derived ?? {};
  if (differences > explained && published === 0) process.exitCode = EXIT.partial;
}
