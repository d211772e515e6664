import { createEvent } from "../../schemas/codec.ts";
import type { AtlasEvent, Draft, EventOf, EventType, Meta } from "../../schemas/generated/events.ts";
import { idOf } from "../../schemas/identity.ts";
import { DEFAULT_RULES, type Rules, rulesHash } from "../../schemas/rules.ts";

export const HASH = rulesHash(DEFAULT_RULES);

/** Finds these rules, or the default ones, under any hash. */
export const rulesOf =
  (rules: Partial<Rules> = {}) =>
  (): Rules => ({ ...DEFAULT_RULES, ...rules });

/** A fact of a session with ids that depend on its name only. */
export function fact<T extends EventType>(
  type: T,
  session: string,
  name: string,
  draft: Draft<T>,
  meta: Partial<Meta> = {},
): EventOf<T> {
  const session_id = idOf("session", session);
  const envelope: Meta = {
    event_id: idOf("fact", session, type, name),
    session_id,
    source: session_id,
    sequence: 1,
    occurred_at: 1_000_000,
    time_assumed: false,
    ...meta,
  };
  return createEvent(type, envelope, draft) as EventOf<T>;
}

export interface JudgementOptions {
  judge?: string;
  score: number;
  uncertainty?: number;
  stage?: string;
  step_id?: number;
}

/** Everything that rewards a session, in the order in which a runtime writes it. */
export function judgedSession(
  session: string,
  judgements: readonly JudgementOptions[],
  options: { endedAt?: number; rules_hash?: string; name?: string; between?: readonly AtlasEvent[] } = {},
): AtlasEvent[] {
  const endedAt = options.endedAt ?? 5_000_000;
  const made = judgements.map(({ judge = "outcome", stage = "sample", step_id, ...rest }, index) =>
    fact("JudgementMade", session, `${options.name ?? ""}${index}`, {
      judge,
      stage,
      ...rest,
      ...(step_id === undefined ? {} : { scope: "step", step_id }),
    }),
  );
  const events = [
    fact(
      "SessionStarted",
      session,
      "",
      { task: "count", learning_key: "counting", agent: "counter", tags: ["a", "b"] },
      { occurred_at: endedAt - 4_000_000 },
    ),
    ...(options.between ?? []),
    fact(
      "SessionEnded",
      session,
      "",
      {
        learning_key: "counting",
        status: "succeeded",
        usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, calls: 1 },
        duration_us: 4_000_000,
      },
      { occurred_at: endedAt },
    ),
    ...made,
    fact(
      "SessionJudged",
      session,
      options.name ?? "",
      {
        learning_key: "counting",
        judgements: made.map(({ meta }) => meta.event_id),
        missing: [],
        rules_hash: options.rules_hash ?? HASH,
      },
      { occurred_at: endedAt + 1_000_000, trace_id: "0af7651916cd43dd8448eb211c80319c" },
    ),
  ];
  return events.map((event, index) => ({ ...event, meta: { ...event.meta, sequence: index + 1 } }));
}

export interface RewardOptions {
  uncertainty?: number;
  tokens?: number;
  seconds?: number;
  learning_key?: string;
  agent?: string;
  models?: string[];
  configuration?: string;
  complete?: boolean;
  /** The session before it, by its id. */
  after?: string;
}

/** A rewarded session of the learning key "counting". */
export function rewarded(
  session: string,
  score: number,
  completed_at: number,
  options: RewardOptions = {},
): EventOf<"SessionRewarded"> {
  const { uncertainty, seconds, learning_key = "counting", agent = "counter", ...rest } = options;
  return fact(
    "SessionRewarded",
    session,
    "",
    {
      learning_key,
      score,
      statistics: {
        score_mean: score,
        score_stddev: 0,
        sample_count: 1,
        ...(uncertainty === undefined ? {} : { uncertainty_mean: uncertainty }),
      },
      status: "succeeded",
      agent,
      ...rest,
      ...(seconds === undefined ? {} : { duration_us: seconds * 1e6 }),
      started_at: completed_at - 1,
      completed_at,
    },
    {
      source: `session-rewards/${session}`,
      occurred_at: completed_at + 1,
      derivation: { processor: "session-rewards", version: 2, rules_hash: HASH, revision: 0 },
    },
  );
}

/** A person's word on a session of the learning key "counting". */
export const decided = (
  decision: string,
  second: number,
  name = `${second}`,
  session = "one",
): EventOf<"ReviewDecided"> =>
  fact(
    "ReviewDecided",
    session,
    name,
    { learning_key: "counting", decision, author: `author ${name}`, note: `note ${name}` },
    { occurred_at: second * 1_000_000, source: `review/${name}` },
  );

/** The seconds-th second, in microseconds. */
export const at = (seconds: number): number => seconds * 1_000_000;
