import type { RunRecord } from "../../sinks/run-record.ts";

/** A record of a run in which nothing happened. */
export const aRunRecord: RunRecord = {
  sessionId: "01990000-0000-7000-8000-000000000000",
  startedAt: "2026-01-01T00:00:00.000000+00:00",
  task: "t",
  agent: "a",
  learningKey: "k",
  tags: [],
  groupId: null,
  rollout: null,
  simulated: false,
  lane: null,
  status: null,
  finalAnswer: null,
  error: null,
  durationMs: null,
  tokens: null,
  judgements: [],
  steps: [],
  events: 1,
};
