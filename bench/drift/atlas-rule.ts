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
}

const HASH = rulesHash(DEFAULT_RULES);

function rewarded(stream: string, { score, uncertainty, tokens, seconds }: BenchSession, index: number) {
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
      tokens,
      duration_us: Math.round(seconds * 1e6),
      started_at: completed_at - 1,
      completed_at,
    },
  ) as EventOf<"SessionRewarded">;
}

/** What our drift processor says about each session, under the default rules and with all four metrics. */
export function atlasAlerts(stream: string, sessions: readonly BenchSession[]): EventOf<"DriftAssessed">[] {
  const facts = sessions.map((session, index) => rewarded(stream, session, index));
  return applyFacts(drift, undefined, facts, () => DEFAULT_RULES).events as EventOf<"DriftAssessed">[];
}
