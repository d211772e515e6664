import type { AtlasConfig } from "../configs/config-schema.ts";
import type { RulesStore } from "../derivation/rules.ts";
import { READ_MODELS } from "../derivation/stage-list.ts";
import { limiter } from "../judges/limiter.ts";
import type { Consumer, EventLog } from "../log/event-log.ts";
import { findErasure } from "../projections/erasures.ts";
import { WHATEVER } from "../projections/session-filters.ts";
import { streamTraces } from "../projections/stream-traces.ts";
import type { Judging } from "../reactors/judging/judged-events.ts";
import {
  JUDGING,
  JUDGING_TOPICS,
  judgingConsumer,
  retriedJudgingConsumer,
} from "../reactors/judging/judging-consumer.ts";
import {
  type ReactorOptions,
  type SessionReader,
  startReactor,
} from "../reactors/judging/judging-reactor.ts";
import { hostedPanel } from "./configured-judges.ts";
import { type ConsumerEvents, consumerEvents } from "./consumer-events.ts";

/** The deferred judging of one process. */
export interface DeferredJudging {
  readonly consumer: Consumer;
  /** Gives back what is being judged; whoever is next judges it. */
  stop(): Promise<void>;
}

/** What deferred judging needs of a configuration. */
export type JudgingConfig = Pick<
  AtlasConfig,
  "judge" | "judges" | "teacher" | "rules" | "prices" | "orchestration"
>;

/** How to run it. */
export type JudgingOptions = ReactorOptions & ConsumerEvents;

/** Sessions as the read models have them. */
export const readerOf = (log: EventLog): SessionReader => ({
  async traceOf(sessionId) {
    const page = { sessionIds: [sessionId], ...WHATEVER, limit: 1 } as const;
    for await (const trace of streamTraces(log.db!, page)) return trace;
    return undefined;
  },
  isErased: async (sessionId) => (await findErasure(log.db!, sessionId)) !== undefined,
  caughtUp: (ends, waiting) => log.caughtUp(READ_MODELS, ends, waiting),
});

/**
 * Judges the sessions whose run left that to later: a consumer keeps which they are, a reactor asks the configured
 * judges and appends what they say.
 *
 * @param log with a database
 * @throws AtlasError ATLAS_CONFIG_INVALID when a judge's module cannot be loaded, ATLAS_DATABASE_TOO_NEW
 */
export async function startJudging(
  log: EventLog,
  rules: RulesStore,
  config: JudgingConfig,
  options: JudgingOptions = {},
): Promise<DeferredJudging> {
  const panel = await hostedPanel(config);
  const parallel = config.judges?.parallel ?? 1;
  const { modelTimeoutSeconds } = config.orchestration;
  const fixed = {
    panel,
    limit: limiter(parallel),
    mask: log.mask,
    prices: config.prices,
    modelTimeoutMs: modelTimeoutSeconds === undefined ? undefined : Math.ceil(modelTimeoutSeconds * 1000),
  };
  const judging = async (): Promise<Judging> => ({ ...fixed, rulesHash: await rules.ensure(config.rules) });
  const consumer = await log.consume(
    { group: JUDGING, topics: JUDGING_TOPICS, ...consumerEvents(JUDGING, options) },
    judgingConsumer,
  );
  const running = startReactor(log, readerOf(log), judging, parallel, options);
  return {
    consumer,
    stop: async () => {
      await running.stop();
      await consumer.stop();
    },
  };
}

/** How records that the group set aside are applied after all. */
export const retryingJudging = { [JUDGING]: retriedJudgingConsumer };
