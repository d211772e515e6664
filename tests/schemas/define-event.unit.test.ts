import { describe, expect, test } from "vitest";
import { z } from "zod";
import { decodeEvent, encodeEvent } from "../../schemas/codec.ts";
import { defineEvent } from "../../schemas/define-event.ts";
import { keyOf, topicOf } from "../../schemas/topics.ts";

const cost = defineEvent({
  type: "acme.Cost",
  topic: "acme.costs",
  key: "tenant",
  zod: z.object({
    tenant: z.string().min(1),
    tokens: z.int(),
    usd: z.number(),
    settled: z.boolean().default(false),
    note: z.string().nullable().default(null),
    parts: z.array(z.object({ model: z.string(), share: z.number() })).default([]),
    labels: z.record(z.string(), z.string()).default({}),
    tier: z.enum(["free", "paid"]),
  }),
});

const draft = { tenant: "north", tokens: 12, usd: 0.5, tier: "paid" } as const;

describe("an event that a user defines", () => {
  test("goes through the codec as any other, with what was left out filled in", () => {
    const event = cost.create({ source: "billing", sequence: 1 }, draft);
    const { fingerprint, body } = encodeEvent(event);
    expect(fingerprint).toBe(cost.fingerprint);
    const back = cost.read(decodeEvent(fingerprint, body));
    expect(back).toMatchObject({ ...draft, settled: false, note: null, parts: [], labels: {} });
    expect(back?.meta).toMatchObject({ source: "billing", sequence: 1, event_id: event.meta.event_id });
  });

  test("has the topic and the key that its definition names", () => {
    const event = cost.create({ source: "billing", sequence: 1 }, draft);
    expect(topicOf(event.type)).toBe("acme.costs");
    expect(keyOf(event)).toBe("north");
  });

  test("without a key belongs to its session", () => {
    const seen = defineEvent({ type: "acme.Seen", topic: "acme.seen", zod: z.object({}) });
    const session_id = "01890000-0000-7000-8000-000000000001";
    expect(keyOf(seen.create({ source: "x", sequence: 1, session_id }, {}))).toBe(session_id);
    expect(() => keyOf(seen.create({ source: "x", sequence: 1 }, {}))).toThrow(/no session_id/);
  });

  test("is checked by its zod object where it is made", () => {
    expect(() => cost.create({ source: "x", sequence: 1 }, { ...draft, tenant: "" })).toThrow(
      expect.objectContaining({ code: "ATLAS_EVENT_INVALID", where: "acme.Cost.tenant" }),
    );
  });

  test("may be defined again in the same way, and in no other", () => {
    const again = () => defineEvent({ type: "acme.Seen", topic: "acme.seen", zod: z.object({}) });
    expect(again().fingerprint).toBe(again().fingerprint);
    expect(() =>
      defineEvent({ type: "acme.Seen", topic: "acme.seen", zod: z.object({ at: z.int() }) }),
    ).toThrow(/defined twice/);
    expect(() => defineEvent({ type: "acme.Seen", topic: "acme.other", zod: z.object({}) })).toThrow(
      /defined twice/,
    );
  });

  test("is read by nobody else's definition", () => {
    expect(cost.read({ type: "acme.Seen" })).toBeUndefined();
  });

  test("of the same fields under another name has another fingerprint", () => {
    const fields = [{ name: "n", type: "int" }];
    const one = defineEvent({ type: "acme.One", topic: "acme.x", avsc: { fields } });
    const two = defineEvent({ type: "beta.One", topic: "acme.x", avsc: { fields } });
    expect(one.fingerprint).not.toBe(two.fingerprint);
  });

  test("may be written in Avro", () => {
    const sized = defineEvent<{ size: number; unit: string | null }>({
      type: "acme.Sized",
      topic: "acme.sizes",
      avsc: {
        fields: [
          { name: "size", type: "long" },
          { name: "unit", type: ["null", "string"], default: null },
        ],
      },
    });
    const { fingerprint, body } = encodeEvent(
      sized.create({ source: "x", sequence: 1 }, { size: 3, unit: null }),
    );
    expect(sized.read(decodeEvent(fingerprint, body))).toMatchObject({ size: 3, unit: null });
  });

  const refused: [string, () => unknown, RegExp][] = [
    [
      "a type without a namespace",
      () => defineEvent({ type: "Cost", topic: "acme.c", zod: z.object({}) }),
      /its type is "Cost"/,
    ],
    [
      "a type of Atlas",
      () => defineEvent({ type: "atlas.X", topic: "acme.c", zod: z.object({}) }),
      /its type is/,
    ],
    [
      "a topic of Atlas",
      () => defineEvent({ type: "a.B", topic: "atlas.rewards", zod: z.object({}) }),
      /its topic is/,
    ],
    [
      "a topic that Kafka cannot name",
      () => defineEvent({ type: "a.B", topic: "a b", zod: z.object({}) }),
      /its topic is/,
    ],
    [
      "a key that is no field",
      () => defineEvent({ type: "a.B", topic: "a", key: "k", zod: z.object({}) }),
      /its key is "k"/,
    ],
    [
      "a key that may be null",
      () => defineEvent({ type: "a.B", topic: "a", key: "k", zod: z.object({ k: z.string().nullable() }) }),
      /its key is "k"/,
    ],
    [
      "an optional field",
      () => defineEvent({ type: "a.B", topic: "a", zod: z.object({ k: z.string().optional() }) }),
      /B\.k is optional/,
    ],
    [
      "a date",
      () => defineEvent({ type: "a.B", topic: "a", zod: z.object({ k: z.object({ at: z.date() }) }) }),
      /B\.k\.at is a z\.date\(\)/,
    ],
    [
      "a union",
      () => defineEvent({ type: "a.B", topic: "a", zod: z.object({ k: z.union([z.string(), z.int()]) }) }),
      /B\.k is a z\.union/,
    ],
    [
      "a field called meta",
      () => defineEvent({ type: "a.B", topic: "a", zod: z.object({ meta: z.string() }) }),
      /has a field `meta`/,
    ],
    [
      "an enum in Avro",
      () =>
        defineEvent({
          type: "a.B",
          topic: "a",
          avsc: { fields: [{ name: "k", type: { type: "enum" } as never }] },
        }),
      /is an enum/,
    ],
  ];
  test.each(refused)("with %s is refused, naming it", (_, define, problem) => {
    expect(define).toThrow(
      expect.objectContaining({
        code: "ATLAS_EVENT_DEFINITION_INVALID",
        message: expect.stringMatching(problem),
        hint: expect.any(String),
      }),
    );
  });
});
