import { reviewer } from "../configs/reviewer.ts";
import { isTransient } from "../database/transient.ts";
import { processorConsumer } from "../derivation/processor-consumer.ts";
import type { RulesStore } from "../derivation/rules.ts";
import { READ_MODELS } from "../derivation/stage-list.ts";
import { PROCESSORS } from "../derivation/stages.ts";
import type { UserParts } from "../derivation/user-parts.ts";
import { AtlasError, asAtlasError } from "../errors/atlas-error.ts";
import { type RetryOptions as Patience, retry } from "../errors/retry.ts";
import { type DeadLetter, listDeadLetters, placeOf } from "../log/dead-letters.ts";
import type { Apply, EventLog, RawRecord } from "../log/event-log.ts";
import { decodeRecord } from "../log/records.ts";
import { retriedFact } from "../log/runner/retried-fact.ts";
import { type RetryEnd, retryRecord } from "../log/runner/retry-record.ts";
import { groupOfVersion } from "../log/runner/versions.ts";
import type { Projection } from "../projections/define-projection.ts";
import { withLogged } from "../schemas/masked.ts";
import { retryInReadModels } from "./retry-in-read-models.ts";

/** What became of one retry. */
export type RetryOutcome =
  | { letter: DeadLetter; status: "applied" }
  /** Applied, and what came of it is published once a member of its group runs. */
  | { letter: DeadLetter; status: "unpublished" }
  /** Another process was first. */
  | { letter: DeadLetter; status: "already-applied" }
  | { letter: DeadLetter; status: "refused"; error: AtlasError };

/** What retrying works with. */
export interface RetryContext {
  log: EventLog;
  rules: RulesStore;
  /** What a user added to the consumers. */
  parts?: UserParts<Projection> | undefined;
}

/** Which letters to retry. */
export interface RetryOptions {
  /** Letters by id, or its unambiguous beginning; all of them unless told. */
  ids?: readonly string[] | undefined;
  /** How records are applied by consumers of your own, by group. */
  consumers?: Readonly<Record<string, Apply>> | undefined;
  author?: string | undefined;
}

/** A lock, or a service that is away for a moment, is waited out. */
const PATIENCE: Patience = { firstMs: 50, longestMs: 1000, tries: 5, passes: isTransient };

/**
 * Hands records that were set aside to the consumer that refused them, once more: each in one unit of work that also
 * keeps what it emits, and a `DeadLetterRetried` that takes the letter off the list. A record that is refused again
 * changes nothing.
 *
 * @throws AtlasError ATLAS_DEAD_LETTER_NOT_FOUND for an id that names no letter, before anything is retried
 * @example
 * const outcomes = await retryDeadLetters(atlas, { ids: ["018f6b0e"] });
 */
export async function retryDeadLetters(
  context: RetryContext,
  options: RetryOptions = {},
): Promise<RetryOutcome[]> {
  const open = await listDeadLetters(context.log);
  const letters = options.ids === undefined ? open : options.ids.map((id) => named(open, id));
  const outcomes: RetryOutcome[] = [];
  for (const letter of new Set(letters)) {
    try {
      const status = await retry(() => retryLetter(context, letter, options), PATIENCE);
      outcomes.push({ letter, status });
    } catch (error) {
      outcomes.push({ letter, status: "refused", error: asAtlasError(error) });
    }
  }
  return outcomes;
}

function named(letters: readonly DeadLetter[], id: string): DeadLetter {
  const wanted = id.trim().toLowerCase();
  const found = wanted === "" ? [] : letters.filter((letter) => letter.id.startsWith(wanted));
  if (found.length === 1) return found[0]!;
  const what = found.length === 0 ? "no dead letter is called" : "more than one dead letter begins with";
  throw new AtlasError("ATLAS_DEAD_LETTER_NOT_FOUND", `${what} ${JSON.stringify(id)}`, {
    hint: "List them with `atlas dead-letters list`.",
  });
}

async function retryLetter(
  context: RetryContext,
  letter: DeadLetter,
  options: RetryOptions,
): Promise<RetryEnd> {
  const { log, rules } = context;
  const record = decodeRecord(await recordOf(log, letter));
  const apply = await applyOf(context, letter, options);
  await rules.load([record]);
  const retried = log.mask(retriedFact(letter, options.author ?? reviewer()));
  const fact = withLogged(retried, { learning_key: record.key });
  return retryRecord(log, { letter, record, apply, fact });
}

async function recordOf(log: EventLog, { topic, partition, offset }: DeadLetter): Promise<RawRecord> {
  for await (const [raw] of log.readRaw([topic], {
    partition,
    fromOffset: offset,
    untilOffset: offset + 1,
  })) {
    if (raw?.offset === offset) return raw;
  }
  throw new AtlasError("ATLAS_LOG_REPLACED", "the log does not hold the record any more", {
    where: `${topic}[${partition}]@${offset}`,
  });
}

async function applyOf(
  context: RetryContext,
  letter: DeadLetter,
  { consumers }: RetryOptions,
): Promise<Apply> {
  const own = consumers?.[letter.group];
  if (own !== undefined) return own;
  if (letter.group === READ_MODELS) return retryInReadModels(context.log, letter);
  const projection = context.parts?.projections.find(({ group }) => group === letter.group);
  if (projection !== undefined) return projection.consume;
  const processors = [...PROCESSORS, ...(context.parts?.processors ?? [])];
  const processor = processors.find((one) => groupOfVersion(one) === letter.group);
  if (processor !== undefined) return processorConsumer(processor, context.rules.lookup);
  throw new AtlasError(
    "ATLAS_DEAD_LETTER_FOREIGN",
    `the consumer ${letter.group} is not one of this package`,
    {
      where: placeOf(letter),
      hint: "Retry it in the program that runs it: atlas.deadLetters.retry({ consumers: { name: apply } }).",
    },
  );
}
