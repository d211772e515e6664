import fc from "fast-check";
import type { AvroRecord, AvroSchema } from "../../schemas/avro.ts";
import type { AtlasEvent, EventType } from "../../schemas/generated/events.ts";
import { RELEASED_SCHEMAS } from "../../schemas/generated/released.ts";
import { VOCABULARIES } from "../../schemas/vocabulary.ts";

/** The latest released schema of every event, standing alone. */
export const LATEST = new Map(
  RELEASED_SCHEMAS.map(({ name, schema }) => [name as EventType, JSON.parse(schema) as AvroRecord]),
);

/** Strings of any 16-bit units: whole characters, halves of pairs, controls, and sizes around avsc's fast path. */
const anyString = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary", maxLength: 80 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 80 })
    .map((units) => units.map((unit) => String.fromCharCode(unit)).join("")),
);

const LOGICAL: Record<string, fc.Arbitrary<unknown>> = { uuid: fc.uuid(), json: fc.json() };
const PRIMITIVES: Record<string, fc.Arbitrary<unknown>> = {
  string: anyString,
  int: fc.integer(),
  // avsc garbles longs below -(2 ** 52); every long of an event is a time since 1970, a count or a duration.
  long: fc.integer({ min: -(2 ** 52), max: 2 ** 53 - 10 }),
  // Python reads whole numbers as int, and Arrow takes none beyond 2^53 beside fractions. No score, cost or time is one.
  double: fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .filter((value) => !Number.isInteger(value) || Number.isSafeInteger(value) || Math.abs(value) >= 1e21),
  boolean: fc.boolean(),
  bytes: fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
};

function anyValue(schema: AvroSchema, known: Map<string, AvroRecord>): fc.Arbitrary<unknown> {
  if (typeof schema === "string") {
    const primitive = PRIMITIVES[schema];
    return primitive ?? anyRecord(known.get(schema)!, known);
  }
  if (Array.isArray(schema)) return fc.option(anyValue(schema[1]!, known), { nil: null });
  if ("fields" in schema) return anyRecord(schema, known);
  if (schema.items !== undefined) return fc.array(anyValue(schema.items, known), { maxLength: 4 });
  return LOGICAL[schema.logicalType ?? ""] ?? anyValue(schema.type, known);
}

function anyRecord(record: AvroRecord, known: Map<string, AvroRecord>): fc.Arbitrary<object> {
  known.set(record.name, record);
  const vocabulary = VOCABULARIES[record.name] ?? {};
  return fc.record(
    Object.fromEntries(
      record.fields.map(({ name, type }) => {
        const words = vocabulary[name];
        return [name, words === undefined ? anyValue(type, known) : fc.constantFrom(...words)];
      }),
    ),
  );
}

/** Any event of a type, with every field set. */
export const anyEvent = (type: EventType): fc.Arbitrary<AtlasEvent> =>
  anyRecord(LATEST.get(type)!, new Map()).map((fields) => ({ type, ...fields }) as AtlasEvent);

/** An event with as little as its schema allows. */
export function leastEvent(type: EventType): AtlasEvent {
  const [event] = fc.sample(anyEvent(type), { numRuns: 1, seed: 1 });
  const { fields } = LATEST.get(type)!;
  const required = fields.filter((field) => !("default" in field)).map(({ name }) => name);
  const entries = Object.entries(event!).filter(([name]) => name === "type" || required.includes(name));
  return Object.fromEntries(entries) as unknown as AtlasEvent;
}
