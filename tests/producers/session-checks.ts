import { expect } from "vitest";
import { encodeEvent } from "../../schemas/codec.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { foldSession } from "../../traces/fold.ts";
import { only } from "../recording/memory-log.ts";

/** What holds for the events of every session, however it went. */
export function checkSession(events: readonly AtlasEvent[]): void {
  expect(events.map(({ meta }) => meta.sequence)).toEqual(events.map((_, index) => index + 1));
  expect(new Set(events.map(({ meta }) => meta.session_id)).size).toBe(1);
  for (const event of events) encodeEvent(event);
  expect(events[0]?.type).toBe("SessionStarted");
  expect(events.at(-1)?.type).toBe("SessionJudged");
  expect(foldSession(events).incomplete).toBe(false);

  for (const [started, ended] of [
    [only(events, "ModelCallStarted"), only(events, "ModelCallEnded")],
    [only(events, "ToolCallStarted"), only(events, "ToolCallEnded")],
  ] as const) {
    const ids = started.map(({ call_id }) => call_id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ended.map(({ call_id }) => call_id).sort()).toEqual(ids.toSorted());
    for (const { call_id, meta, step_id, attempt } of ended) {
      const start = started.find((other) => other.call_id === call_id)!;
      expect(start.meta.sequence).toBeLessThan(meta.sequence);
      expect([start.step_id, start.attempt]).toEqual([step_id, attempt]);
    }
  }
  checkAttempts(events);
}

function checkAttempts(events: readonly AtlasEvent[]): void {
  const end = only(events, "SessionEnded");
  expect(end).toHaveLength(1);
  const started = only(events, "AttemptStarted");
  const ended = only(events, "AttemptEnded");
  const places = (attempts: readonly { step_id: number; attempt: number }[]): string[] =>
    attempts.map(({ step_id, attempt }) => `${step_id}/${attempt}`).sort();
  expect(places(ended)).toEqual(places(started));
  expect(only(events, "StepStarted")).toHaveLength(only(events, "StepEnded").length);
  const calls = [...only(events, "ToolCallEnded"), ...only(events, "ModelCallEnded")];
  for (const { meta, step_id, attempt, type, ...call } of calls) {
    if ("role" in call && call.role !== "student") continue;
    if (step_id === null) continue;
    const last = ended.find((other) => other.step_id === step_id && other.attempt === attempt)!;
    expect(meta.sequence).toBeLessThan(last.meta.sequence);
  }
  const judgements = events.filter(({ type }) => type === "JudgementMade" || type === "JudgementFailed");
  for (const { meta } of judgements) expect(meta.sequence).toBeGreaterThan(end[0]!.meta.sequence);
  const made = only(events, "JudgementMade").map(({ meta }) => meta.event_id);
  // They stand by judge, and judges answer in any order.
  expect([...(only(events, "SessionJudged")[0]?.judgements ?? [])].sort()).toEqual(made.sort());
}
