import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createEvent,
  decodeEvent,
  encodeEvent,
  isEventType,
  latestSchema,
  releasedSchema,
} from "../../schemas/codec.ts";
import type { AtlasEvent, Meta } from "../../schemas/generated/events.ts";
import { wellFormed } from "../../schemas/well-formed.ts";
import { anyEvent, LATEST, leastEvent } from "./arbitrary-events.ts";

const types = [...LATEST.keys()];

/** Objects without avsc's prototypes, and buffers as they are. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null || Buffer.isBuffer(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

const meta: Meta = {
  event_id: "018f0000-0000-7000-8000-000000000001",
  session_id: "018f0000-0000-7000-8000-000000000002",
  source: "018f0000-0000-7000-8000-000000000002",
  sequence: 1,
  occurred_at: 1_700_000_000_000_001,
  time_assumed: false,
};
const skipped = (reason: string): AtlasEvent => createEvent("StepSkipped", meta, { step_id: 1, reason });
const invalid = (message: string | RegExp) =>
  expect.objectContaining({
    code: "ATLAS_EVENT_INVALID",
    message: expect.stringMatching(message),
    where: `event ${meta.event_id}`,
  });

describe("codec", () => {
  it.each(types)("returns any %s as it was, with lone surrogates replaced", (type) => {
    fc.assert(
      fc.property(anyEvent(type), (event) => {
        const { fingerprint, body } = encodeEvent(event);
        expect(fingerprint).toBe(latestSchema(type)?.fingerprint);
        expect(plain(decodeEvent(fingerprint, body))).toEqual(plain(wellFormed(event)));
      }),
      { numRuns: 40 },
    );
  });

  it.each(types)("fills in what a %s leaves out", (type) => {
    const least = leastEvent(type);
    const { fingerprint, body } = encodeEvent(least);
    const defaults = Object.fromEntries(
      LATEST.get(type)!
        .fields.filter((field) => "default" in field)
        .map((field) => [field.name, field.default]),
    );
    expect(plain(decodeEvent(fingerprint, body))).toEqual(plain(wellFormed({ ...defaults, ...least })));
  });

  it("writes UTF-8 whatever a string holds, short or long", () => {
    for (const text of [
      "a\ud800b",
      "\udc00\ud800",
      `${"x".repeat(70)}\udfff`,
      "\ud83d\ude00",
      "\u2028\u0000",
    ]) {
      const { fingerprint, body } = encodeEvent(skipped(text));
      expect(body.includes(Buffer.from(text.toWellFormed()))).toBe(true);
      expect(decodeEvent(fingerprint, body)).toMatchObject({ reason: text.toWellFormed() });
    }
  });

  it("does not change the event that it encodes", () => {
    const event = skipped("half \ud800");
    const copy = structuredClone(event);
    encodeEvent(event);
    expect(event).toEqual(copy);
  });

  it("encodes equal events to equal bytes", () => {
    const decoded = decodeEvent(...(Object.values(encodeEvent(skipped("once"))) as [string, Buffer]));
    expect(encodeEvent(decoded).body).toEqual(encodeEvent(skipped("once")).body);
  });

  it.each([
    [
      "a field of another type",
      { ...skipped("x"), step_id: "1" },
      /StepSkipped has "1" at step_id, not "int"/,
    ],
    ["a missing field", { ...skipped("x"), reason: undefined }, /has nothing at reason/],
    [
      "a fraction of a microsecond",
      { ...skipped("x"), meta: { ...meta, occurred_at: 0.5 } },
      /0\.5 at meta\.occurred_at/,
    ],
    [
      "a number that a double cannot hold",
      { ...skipped("x"), meta: { ...meta, sequence: 2 ** 60 } },
      /at meta\.sequence/,
    ],
    ["an unknown name", { ...skipped("x"), type: "StepJumped" }, /no event called StepJumped/],
    ["a name that every object has", { ...skipped("x"), type: "constructor" }, /no event called constructor/],
  ])("refuses %s and says where", (_, event, message) => {
    expect(() => encodeEvent(event as AtlasEvent)).toThrow(invalid(message));
  });

  it("asks for an upgrade where it meets a schema that it does not know", () => {
    expect(() => decodeEvent("0123456789abcdef", Buffer.alloc(4))).toThrow(
      expect.objectContaining({ code: "ATLAS_SCHEMA_NEWER", hint: expect.stringContaining("Upgrade") }),
    );
  });

  it.each([
    ["is cut short", (body: Buffer) => body.subarray(0, -1)],
    ["goes on after its end", (body: Buffer) => Buffer.concat([body, Buffer.from([0])])],
    ["is empty", () => Buffer.alloc(0)],
  ])("says so where a body %s", (_, damage) => {
    const { fingerprint, body } = encodeEvent(skipped("whole"));
    expect(() => decodeEvent(fingerprint, damage(body))).toThrow(
      expect.objectContaining({
        code: "ATLAS_EVENT_UNREADABLE",
        message: expect.stringContaining("StepSkipped"),
      }),
    );
  });

  it("knows its events and their schemas", () => {
    expect(isEventType("SessionStarted")).toBe(true);
    expect(isEventType("toString")).toBe(false);
    const { fingerprint } = encodeEvent(skipped("x"));
    expect(releasedSchema(fingerprint)).toMatchObject({ name: "StepSkipped", version: 1 });
    expect(releasedSchema("0123456789abcdef")).toBeUndefined();
  });

  it("lets a draft override defaults and nothing else", () => {
    expect(createEvent("GuidanceGiven", meta, { step_id: 1, attempt: 1, note: "n" }).author).toBe("teacher");
    expect(
      createEvent("GuidanceGiven", meta, { step_id: 1, attempt: 1, note: "n", author: "me" }).author,
    ).toBe("me");
  });
});
