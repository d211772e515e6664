import { encodeTrainingLine } from "../../traces/training-line.ts";
import type { Features } from "./features.ts";
import type { LineFormat } from "./format.ts";

/**
 * Types of the columns. What is inside is left open: types that are guessed from what one session has do not fit those of
 * another.
 */
const COLUMNS: Features = {
  task: "string",
  final_answer: "string",
  plan: "json",
  steps: "json",
  session_metadata: "json",
  execution_mode: "string",
  review_status: "string",
  review_notes: "string",
  reward_stats: "json",
  reward_audit: "json",
  session_reward: "json",
  student_learning: "string",
  teacher_learning: "string",
  adaptive_summary: "json",
  triage_dossier: "json",
  learning_key: "string",
  learning_history: "json",
  teacher_notes: "json",
  reward_summary: "json",
  drift: "json",
  drift_alert: "bool",
  trajectory_events: "json",
};

/** The lines of `atlas export`: what Atlas Core's loaders read. */
export const atlasFormat: LineFormat = {
  name: "atlas",
  extension: "jsonl",
  about: "A record is a session, as Atlas Core's loaders read it.",
  features: COLUMNS,
  encode: (trace) => [encodeTrainingLine(trace)],
};
