import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { topicOf } from "../../schemas/topics.ts";
import { fromTrajectoryEvent, toTrajectoryEvent } from "../../traces/trajectory-event.ts";
import { anyEvent, LATEST } from "../schemas/arbitrary-events.ts";
import { sessionId, stored, wholeSession } from "./sessions.ts";

const OWN = [...LATEST.keys()].filter((type) => topicOf(type) === "atlas.sessions");

/** The JSON of an event, its type and envelope first. */
const inOrder = ({ type, meta, ...fields }: AtlasEvent): string => JSON.stringify({ type, meta, ...fields });

describe("trajectory events", () => {
  it.each(OWN)("give %s back as it was", (type) => {
    fc.assert(
      fc.property(anyEvent(type), (any) => {
        const meta = { ...any.meta, session_id: sessionId("a"), source: sessionId("a"), trace_id: "0af7" };
        const event = stored({ ...any, meta });
        const row = JSON.parse(JSON.stringify(toTrajectoryEvent(event)));
        expect(JSON.stringify(fromTrajectoryEvent(row, sessionId("a")))).toBe(inOrder(event));
      }),
      { numRuns: 20 },
    );
  });

  it("hold nothing that Postgres refuses", () => {
    fc.assert(
      fc.property(anyEvent("ToolCallEnded"), (event) => {
        const text = JSON.stringify(toTrajectoryEvent(event));
        expect(text).not.toMatch(/(?<!\\)(\\\\)*\\u0000/);
        expect(text).not.toMatch(/(?<!\\)(\\\\)*\\ud[89a-f]/);
      }),
    );
  });

  it("pair starts and ends", () => {
    const spans = wholeSession("a").map((event) => toTrajectoryEvent(event).payload);
    for (const kind of ["WORKFLOW", "TASK", "FUNCTION", "LLM", "TOOL"]) {
      const of = (side: string) =>
        spans.filter(({ event_type }) => event_type === `${kind}_${side}`).map(({ UUID }) => UUID);
      expect(of("START").length).toBeGreaterThan(0);
      expect(of("END").sort()).toEqual(of("START").sort());
    }
  });

  it("know what each is part of", () => {
    const [call] = wholeSession("a").filter(({ type }) => type === "ToolCallStarted");
    expect(toTrajectoryEvent(call!).parent_id).toBe("m1");
    const [model] = wholeSession("a").filter(({ type }) => type === "ModelCallStarted");
    expect(toTrajectoryEvent(model!).parent_id).toBe("step-1-attempt-1");
  });
});
