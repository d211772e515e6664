import { type WrittenFile, writeAtomically } from "../../files/atomic-file.ts";
import { createEvent } from "../../schemas/codec.ts";
import type { AtlasEvent, Draft, EventType } from "../../schemas/generated/events.ts";
import { idOf } from "../../schemas/identity.ts";
import { DEFAULT_RULES, rulesHash } from "../../schemas/rules.ts";
import { foldSession } from "../../traces/fold.ts";
import { encodeTrainingLine } from "../../traces/training-line.ts";

interface Sample {
  task: string;
  answer: string;
  score: number;
}

const SAMPLES: readonly Sample[] = [
  { task: "What is 17 times 23?", answer: "17 × 23 = 17 × 20 + 17 × 3 = 340 + 51 = 391.", score: 1 },
  { task: "Name the largest planet of the solar system.", answer: "Saturn, I think.", score: 0 },
];
const LEARNING_KEY = "sample";
const START = Date.UTC(2026, 0, 1) * 1000;

/** A session that answers at once, and is judged. */
function eventsOf({ task, answer, score }: Sample, number: number): AtlasEvent[] {
  const session = idOf("sample", number);
  const events: AtlasEvent[] = [];
  const emit = <T extends EventType>(type: T, draft: Draft<T>): AtlasEvent => {
    const sequence = events.length + 1;
    const event = createEvent(
      type,
      {
        event_id: idOf(session, sequence),
        session_id: session,
        source: session,
        sequence,
        occurred_at: START + sequence * 1_000_000,
        time_assumed: false,
      },
      draft,
    );
    events.push(event);
    return event;
  };
  const step = { step_id: 1, attempt: 1 };
  emit("SessionStarted", { task, learning_key: LEARNING_KEY, agent: "sample", simulated: true });
  emit("StepStarted", { step_id: 1, description: task });
  emit("AttemptStarted", step);
  emit("AttemptEnded", { ...step, status: "completed", output: answer });
  emit("StepEnded", { step_id: 1, status: "succeeded", attempts: 1, output: answer });
  emit("SessionEnded", { learning_key: LEARNING_KEY, status: "succeeded", final_answer: answer });
  const judgement = emit("JudgementMade", { judge: "sample", stage: "function", score, uncertainty: 0 });
  const judged = emit("SessionJudged", {
    learning_key: LEARNING_KEY,
    judgements: [judgement.meta.event_id],
    missing: [],
    rules_hash: rulesHash(DEFAULT_RULES),
  });
  const ended = events.find(({ type }) => type === "SessionEnded")!;
  const rewarded = createEvent(
    "SessionRewarded",
    {
      event_id: idOf(session, "reward"),
      session_id: session,
      source: `sample/${session}`,
      sequence: 1,
      occurred_at: judged.meta.occurred_at,
      time_assumed: false,
    },
    {
      learning_key: LEARNING_KEY,
      score,
      statistics: { score_mean: score, score_stddev: 0, sample_count: 1 },
      judges: [{ judge: "sample", score, weight: 1, samples: 1, escalated: false }],
      steps: [],
      judgements: [judgement.meta.event_id],
      status: "succeeded",
      agent: "sample",
      tags: [],
      started_at: START,
      completed_at: ended.meta.occurred_at,
    },
  );
  return [...events, rewarded];
}

/**
 * Writes two made-up sessions in the format of an export, one rewarded with 1 and one with 0: enough to see whether a
 * training set-up starts, before there is any data.
 *
 * @throws AtlasError ATLAS_FILE_UNWRITABLE, ATLAS_DISK_FULL
 * @example
 * const { path } = await writeSampleDataset("sample.jsonl");
 */
export const writeSampleDataset = (output: string): Promise<WrittenFile> =>
  writeAtomically(
    output,
    SAMPLES.map((sample, number) => `${encodeTrainingLine(foldSession(eventsOf(sample, number)))}\n`),
  );
