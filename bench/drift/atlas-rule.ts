import { drift } from "../../processors/drift.ts";
import { applyFacts } from "../../processors/run-processor.ts";
import { createEvent } from "../../schemas/codec.ts";
import type { EventOf } from "../../schemas/generated/events.ts";
import { idOf } from "../../schemas/identity.ts";
import { DEFAULT_RULES, rulesHash } from "../../schemas/rules.ts";

/** One session of a stream, as far as drift looks at it. */
export interface BenchSession {
  score: number;
  uncertainty: number;
  tokens: number;
  seconds: number;
  /** The model that answered; always the same one where there is none. */
  model?: string;
}

const HASH = rulesHash(DEFAULT_RULES);

function rewarded(
  stream: string,
  { score, uncertainty, tokens, seconds, model = "model" }: BenchSession,
  index: number,
) {
  const session = idOf("bench", stream, index);
  const completed_at = (index + 1) * 60_000_000;
  return createEvent(
    "SessionRewarded",
    {
      event_id: idOf("bench", "rewarded", stream, index),
      session_id: session,
      source: `session-rewards/${session}`,
      sequence: 1,
      occurred_at: completed_at,
      time_assumed: false,
      derivation: { processor: "session-rewards", version: 1, rules_hash: HASH, branch: null, revision: 0 },
    },
    {
      learning_key: stream,
      score,
      statistics: { score_mean: score, score_stddev: 0, sample_count: 3, uncertainty_mean: uncertainty },
      status: "succeeded",
      agent: "bench",
      models: [model],
      tokens,
      duration_us: Math.round(seconds * 1e6),
      started_at: completed_at - 1,
      completed_at,
    },
  ) as EventOf<"SessionRewarded">;
}

const applied = (stream: string, sessions: readonly BenchSession[]) => {
  const facts = sessions.map((session, index) => rewarded(stream, session, index));
  const began = process.cpuUsage();
  const { keyState, events } = applyFacts(drift, undefined, facts, () => DEFAULT_RULES);
  const { user, system } = process.cpuUsage(began);
  return { keyState, events: events as EventOf<"DriftAssessed">[], cpuSeconds: (user + system) / 1e6 };
};

/** What our drift processor says about each session, under the default rules and with all four metrics. */
export const atlasAlerts = (stream: string, sessions: readonly BenchSession[]): EventOf<"DriftAssessed">[] =>
  applied(stream, sessions).events;

/** What assessing these sessions takes, and what is kept of them in the end. */
export function assessed(
  stream: string,
  sessions: readonly BenchSession[],
): { cpuSeconds: number; stateBytes: number } {
  const { keyState, cpuSeconds } = applied(stream, sessions);
  return { cpuSeconds, stateBytes: Buffer.byteLength(JSON.stringify(keyState)) };
}
