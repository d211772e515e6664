import { createEvent } from "../../schemas/codec.ts";
import type { AtlasEvent, Meta } from "../../schemas/generated/events.ts";
import { idOf } from "../../schemas/identity.ts";

const LEARNING_KEY = "judged";
const START = Date.UTC(2025, 1, 1) * 1000;

/** The events of a finished session with a judgement of each of these judges; the later the higher its number. */
export function judgedSession(
  number: number,
  scores: Readonly<Record<string, number>>,
  rulesHash: string,
): AtlasEvent[] {
  const sessionId = idOf("judged", number);
  let sequence = 0;
  const meta = (): Meta => {
    sequence += 1;
    const at = START + number * 60_000_000 + sequence;
    const event_id = idOf(sessionId, sequence);
    return {
      event_id,
      session_id: sessionId,
      source: sessionId,
      sequence,
      occurred_at: at,
      time_assumed: false,
    };
  };
  const started = createEvent("SessionStarted", meta(), {
    task: `Task ${number}`,
    learning_key: LEARNING_KEY,
    agent: "tester",
    agent_kind: "function",
    origin: "run",
  });
  const ended = createEvent("SessionEnded", meta(), { learning_key: LEARNING_KEY, status: "succeeded" });
  const judgements = Object.entries(scores).map(([judge, score]) =>
    createEvent("JudgementMade", meta(), { judge, stage: "sample", score }),
  );
  const judged = createEvent("SessionJudged", meta(), {
    learning_key: LEARNING_KEY,
    judgements: judgements.map((judgement) => judgement.meta.event_id),
    missing: [],
    rules_hash: rulesHash,
  });
  return [started, ended, ...judgements, judged];
}
