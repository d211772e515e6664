import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEvent, encodeEvent } from "../../schemas/codec.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { alreadyMasked } from "../../schemas/masked.ts";
import { joinContent, MAX_CONTENT_BYTES, needsSplitting, splitContent } from "../../traces/content.ts";
import { foldSession } from "../../traces/fold.ts";
import { sessionWriter, stored } from "./sessions.ts";

/** Starts a session and appends an event with these fields, in as many parts as it needs. */
function large(draft: { output?: string; error?: string; name?: string }) {
  const { events, emit, nextMeta } = sessionWriter("large");
  emit("SessionStarted", { task: "t", learning_key: "k", agent: "x" });
  const event = stored(
    createEvent("ToolCallEnded", nextMeta(), { call_id: "c", name: "read", ...draft }),
  ) as AtlasEvent;
  events.push(event);
  const parts = splitContent(alreadyMasked(event), () => {
    const meta = nextMeta();
    events.push(event);
    return meta;
  });
  events.splice(1);
  for (const part of parts) events.push(stored(part));
  return { event, parts, events };
}

const sizeOf = (event: AtlasEvent): number => encodeEvent(event).body.length;

/** Text whose characters take one to four bytes, some of them pairs of units. */
const wideText = fc
  .tuple(
    fc.array(fc.constantFrom("a", "ä", "漢", "😀", "\n", "\u2028"), { minLength: 1, maxLength: 6 }),
    fc.integer({ min: 1, max: 200_000 }),
  )
  .map(([alphabet, times]) => alphabet.join("").repeat(times).slice(0, 900_000).toWellFormed());

describe("content too large for one message", () => {
  it("fits in parts, is cut between code points, and comes back whole", () => {
    fc.assert(
      fc.property(wideText, fc.option(wideText), (output, error) => {
        const { event, parts, events } = large({ output, ...(error !== null && { error }) });
        for (const part of parts) expect(sizeOf(part)).toBeLessThanOrEqual(MAX_CONTENT_BYTES);
        for (const part of parts) {
          const text = part.type === "ContentContinued" ? part.text : "";
          expect(text.isWellFormed()).toBe(true);
        }
        const trace = foldSession(events);
        expect(trace.events[1]).toEqual(event);
        expect(trace).toMatchObject({ incomplete: false, pending: [], event_count: events.length });
        expect(joinContent(parts)).toEqual([event]);
      }),
      { numRuns: 30 },
    );
  });

  it("stays alone where it fits", () => {
    const { event, parts } = large({ output: "x".repeat(200_000) });
    expect(parts).toEqual([event]);
    expect(parts[0]).toBe(event);
  });

  it("carries 20 MB", () => {
    const output = "0123456789äöü".repeat(1_600_000).slice(0, 20_000_000);
    const { event, parts, events } = large({ output });
    expect(parts.length).toBeGreaterThan(80);
    expect(foldSession(events).events[1]).toEqual(event);
  });

  it("shares the room among several long texts", () => {
    const { parts } = large({ output: "o".repeat(300_000), error: "e".repeat(300_000) });
    expect(parts[0]).toMatchObject({
      output: expect.stringMatching(/^o{100000}/),
      error: expect.stringMatching(/^e{100000}/),
    });
  });

  it("cuts texts inside of lists and records", () => {
    const { emit, events, nextMeta } = sessionWriter("plan");
    emit("SessionStarted", { task: "t", learning_key: "k", agent: "x" });
    const description = "d".repeat(400_000);
    const plan = { steps: [{ id: 1, description, depends_on: [] }], execution_mode: "stepwise" };
    const event = stored(createEvent("PlanProposed", nextMeta(), { plan })) as AtlasEvent;
    events.push(event);
    const parts = splitContent(alreadyMasked(event), () => ({
      ...nextMeta(),
      sequence: events.length + 1,
      event_id: crypto.randomUUID(),
    }));
    expect(parts).toHaveLength(2);
    expect(parts[1]).toMatchObject({ field: "plan.steps.0.description" });
    const trace = foldSession([events[0]!, ...parts.map((part) => stored(part))]);
    expect(trace.plan?.steps[0]?.description).toBe(description);
    expect(trace.incomplete).toBe(false);
  });

  it("is incomplete while a part is missing, and says which content", () => {
    const { event, events } = large({ output: "x".repeat(900_000) });
    const trace = foldSession(events.filter((_, index) => index !== 3));
    expect(trace.incomplete_reasons).toEqual([
      "event 4 is missing",
      `output of event ${event.meta.event_id} is not whole`,
    ]);
    expect(trace.events[1]).toMatchObject({ output: expect.stringMatching(/^x+$/) });
  });

  it("comes back whole in any order of its parts", () => {
    const { event, events } = large({ output: "abc".repeat(300_000) });
    fc.assert(
      fc.property(fc.shuffledSubarray(events, { minLength: events.length }), (shuffled) => {
        expect(foldSession(shuffled).events).toEqual([events[0], event]);
      }),
      { numRuns: 20 },
    );
  });

  it("is not suspected where it cannot be", () => {
    expect(needsSplitting(1000)).toBe(false);
    expect(needsSplitting(100_000)).toBe(true);
  });
});
