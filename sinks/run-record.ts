import { join } from "node:path";
import { writeAtomically } from "../files/atomic-file.ts";
import { explainWrite } from "../files/explain-write.ts";
import { privateFolder } from "../files/folders.ts";
import type { AtlasEvent, Uuid } from "../schemas/generated/events.ts";
import { isoOf } from "../schemas/identity.ts";
import { isMadeUp } from "../traces/made-up.ts";

/** What a run leaves beside the log, for people and scripts that want no database. */
export interface RunRecord {
  sessionId: Uuid;
  startedAt: string;
  task: string;
  agent: string;
  learningKey: string;
  tags: string[];
  groupId: string | null;
  rollout: number | null;
  simulated: boolean;
  lane: string | null;
  /** As in the event that ended the session. */
  status: string | null;
  finalAnswer: string | null;
  error: string | null;
  durationMs: number | null;
  /** Of the work; judges' calls come after it. */
  tokens: number | null;
  /** The session judges' scores in the order in which they came; 0 to 1. */
  judgements: { judge: string; score: number; rationale: string | null }[];
  steps: { id: number; status: string; attempts: number }[];
  events: number;
}

/**
 * Sums up a session from its events; undefined without its start. Made of events alone, so it holds nothing that was
 * kept out of them.
 */
export function recordOf(events: readonly AtlasEvent[]): RunRecord | undefined {
  const started = events.find((event) => event.type === "SessionStarted");
  if (started === undefined) return undefined;
  const ended = events.find((event) => event.type === "SessionEnded");
  const lanes = events.filter((event) => event.type === "LaneSelected");
  return {
    sessionId: started.meta.source,
    startedAt: isoOf(started.meta.occurred_at),
    task: started.task,
    agent: started.agent,
    learningKey: started.learning_key,
    tags: [...started.tags],
    groupId: started.group_id ?? null,
    rollout: started.rollout ?? null,
    simulated: events.some(isMadeUp),
    lane: lanes.at(-1)?.lane ?? null,
    status: ended?.status ?? null,
    finalAnswer: ended?.final_answer ?? null,
    error: ended?.error ?? null,
    durationMs: ended?.duration_us == null ? null : ended.duration_us / 1000,
    tokens: ended?.usage?.total_tokens ?? null,
    judgements: events
      .filter((event) => event.type === "JudgementMade")
      .filter(({ scope }) => scope === "session")
      .map(({ judge, score, rationale }) => ({ judge, score, rationale: rationale ?? null })),
    steps: events
      .filter((event) => event.type === "StepEnded")
      .map(({ step_id, status, attempts }) => ({ id: step_id, status, attempts })),
    events: events.length,
  };
}

/**
 * Writes a run's record to `<folder>/<session id>.json`.
 *
 * @returns the file's path
 * @throws AtlasError ATLAS_FILE_UNWRITABLE, ATLAS_DISK_FULL
 * @example
 * await writeRunRecord(".atlas/runs", recordOf(events)!);
 */
export async function writeRunRecord(folder: string, record: RunRecord): Promise<string> {
  const path = join(folder, `${record.sessionId}.json`);
  try {
    privateFolder(folder);
  } catch (error) {
    throw explainWrite(folder, error);
  }
  await writeAtomically(path, [`${JSON.stringify(record, null, 2)}\n`]);
  return path;
}
