import { expect, test } from "vitest";
import { readOldSession } from "../../../intake/migration/old-session.ts";
import { encodeTrainingLine } from "../../../traces/training-line.ts";
import { manySessions, run } from "../../sinks/formats/format-sessions.ts";
import { stored } from "../../traces/sessions.ts";
import { onlySession, readValues } from "./accounts-for.ts";

interface Line {
  session_metadata: Record<string, unknown>;
  trajectory_events: { event: { payload: { metadata: Record<string, unknown>; data: unknown } } }[];
}

const lineOf = (trace: Parameters<typeof encodeTrainingLine>[0]): Line =>
  JSON.parse(encodeTrainingLine(trace)) as Line;

test("sessions of every kind come back event by event, with their ids and times", () => {
  for (const trace of manySessions()) {
    const { formats, events, problems } = readValues([lineOf(trace)]);
    expect(problems).toEqual([]);
    expect(formats).toEqual(["atlas"]);
    const there = trace.events.map((event) =>
      event.type === "SessionJudged" ? { ...event, rules_hash: "rules" } : event,
    );
    expect(events[0]!.map(stored)).toEqual(there.map(stored));
  }
});

test("what happened twice, or in another order, is the same session", () => {
  const trace = run("first");
  const line = lineOf(trace);
  const shuffled = { ...line, trajectory_events: line.trajectory_events.toReversed() };
  expect(onlySession(shuffled).events.map(({ type }) => type)).toEqual(trace.events.map(({ type }) => type));
});

test("what the Python SDK exported is sent to its own door", () => {
  const old = {
    task: "x",
    session_metadata: { session_id: 7 },
    trajectory_events: [{ event: { type: "step" } }],
  };
  expect(readValues([old]).problems).toEqual([
    "it is a session of the Python SDK: import it with --from-jsonl FILE",
  ]);
});

test("the door of the Python SDK sends a line of Atlas to this one", () => {
  expect(readOldSession(encodeTrainingLine(run("first")))).toBe(
    "it is a line of Atlas itself, which comes back whole without --from-jsonl",
  );
});

test("a line that was changed is told by the place of the fault, without its content", () => {
  const line = lineOf(run("first"));
  const reasonOf = (change: (copy: Line) => void): string[] => {
    const copy = structuredClone(line);
    change(copy);
    return readValues([copy]).problems;
  };
  const noEvent = [`trajectory_events[2] is no event of a session that this version knows`];
  expect(
    reasonOf(({ trajectory_events: [, , third] }) => (third!.event.payload.metadata.event = "Nothing")),
  ).toEqual(noEvent);
  expect(reasonOf(({ trajectory_events: [, , third] }) => (third!.event.payload.data = null))).toEqual(
    noEvent,
  );
  expect(
    reasonOf(
      ({ trajectory_events: [, , third] }) => (third!.event.payload.data = { input: { value: "{}" } }),
    ),
  ).toEqual(noEvent);
  expect(reasonOf((copy) => (copy.session_metadata.session_id = "7"))).toEqual([
    "session_metadata.session_id is no UUID",
  ]);
  expect(reasonOf((copy) => copy.trajectory_events.shift())).toEqual([
    "trajectory_events does not begin with the start of the session",
  ]);
});
