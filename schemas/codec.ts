import { createRequire } from "node:module";
import type avsc from "avsc";
import { AtlasError, messageOf } from "../errors/atlas-error.ts";
import type { AtlasEvent, Draft, EventType, Meta } from "./generated/events.ts";
import { DEFAULTS } from "./generated/events.ts";
import { RELEASED_SCHEMAS, type ReleasedSchema } from "./generated/released.ts";
import { vocabularyProblem } from "./vocabulary.ts";
import { wellFormed } from "./well-formed.ts";

/** An event as the log stores it: which schema wrote it, and its Avro body without any frame. */
export interface EncodedEvent {
  fingerprint: string;
  body: Buffer;
}

const require = createRequire(import.meta.url);

/** Avro is loaded with the first schema that is compiled: who only asks the database needs none. */
function compile(schema: string): avsc.Type {
  const { Type } = require("avsc") as typeof avsc;
  return Type.forSchema(JSON.parse(schema) as avsc.Schema);
}

const byFingerprint = new Map<string, ReleasedSchema>(RELEASED_SCHEMAS.map((row) => [row.fingerprint, row]));
const latest = new Map<string, ReleasedSchema>(RELEASED_SCHEMAS.map((row) => [row.name, row]));
const writers = new Map<string, avsc.Type>();
const readers = new Map<string, (body: Buffer) => unknown>();

function writerOf(name: string): avsc.Type {
  let type = writers.get(name);
  if (type === undefined) {
    type = compile(latest.get(name)!.schema);
    writers.set(name, type);
  }
  return type;
}

function readerOf(released: ReleasedSchema): (body: Buffer) => unknown {
  let read = readers.get(released.fingerprint);
  if (read === undefined) {
    const reader = writerOf(released.name);
    if (latest.get(released.name)!.fingerprint === released.fingerprint) {
      read = (body) => reader.fromBuffer(body);
    } else {
      const writer = compile(released.schema);
      const resolver = reader.createResolver(writer);
      read = (body) => reader.fromBuffer(body, resolver);
    }
    readers.set(released.fingerprint, read);
  }
  return read;
}

/**
 * Adds a version of an event that a user defined. The last one that is added writes; with `earlier`, it is only read.
 */
export function addSchema(schema: ReleasedSchema, { earlier = false }: { earlier?: boolean } = {}): void {
  byFingerprint.set(schema.fingerprint, schema);
  if (earlier) return;
  latest.set(schema.name, schema);
  writers.delete(schema.name);
  for (const { name, fingerprint } of byFingerprint.values())
    if (name === schema.name) readers.delete(fingerprint);
}

/** The released schema of a fingerprint; undefined when this version of the package does not have it. */
export const releasedSchema = (fingerprint: string): ReleasedSchema | undefined =>
  byFingerprint.get(fingerprint);

/** The latest released schema of an event. */
export function latestSchema(type: string): ReleasedSchema | undefined {
  return latest.get(type);
}

/** Says whether this package has an event of that name. */
export const isEventType = (name: string): name is EventType => latest.has(name);

/**
 * Puts a draft into its envelope and fills in the fields that were left out.
 *
 * @example
 * const event = createEvent("StepSkipped", meta, { step_id: 2, reason: "step 1 failed" });
 */
export function createEvent<T extends EventType>(
  type: T,
  meta: Meta,
  draft: Draft<T>,
): Extract<AtlasEvent, { type: T }> {
  return { type, meta, ...DEFAULTS[type], ...draft } as unknown as Extract<AtlasEvent, { type: T }>;
}

/**
 * Encodes an event with its latest schema. Lone surrogates, which UTF-8 cannot hold, become U+FFFD.
 *
 * @throws AtlasError ATLAS_EVENT_INVALID naming the field that does not fit
 * @example
 * const { fingerprint, body } = encodeEvent(event);
 */
export function encodeEvent(event: AtlasEvent): EncodedEvent {
  const released = latest.get(event.type);
  const where = `event ${event.meta?.event_id}`;
  if (released === undefined) {
    throw new AtlasError("ATLAS_EVENT_INVALID", `there is no event called ${String(event.type)}`, { where });
  }
  const vocabulary = vocabularyProblem(event);
  if (vocabulary !== undefined)
    throw new AtlasError("ATLAS_EVENT_INVALID", `${event.type}.${vocabulary}`, { where });
  try {
    return { fingerprint: released.fingerprint, body: writerOf(event.type).toBuffer(wellFormed(event)) };
  } catch (error) {
    throw new AtlasError("ATLAS_EVENT_INVALID", `${event.type} ${problemOf(event) ?? messageOf(error)}`, {
      where,
      cause: error,
    });
  }
}

function problemOf(event: AtlasEvent): string | undefined {
  let problem: string | undefined;
  writerOf(event.type).isValid(event, {
    errorHook: (path: string[], value: unknown, type: { toString(): string }) => {
      problem ??= `has ${value === undefined ? "nothing" : JSON.stringify(value)?.slice(0, 80)} at ${path.join(".")}, not ${type.toString().slice(0, 80)}`;
    },
  });
  return problem;
}

/**
 * Decodes an event, whichever released schema wrote it.
 *
 * @throws AtlasError ATLAS_SCHEMA_NEWER for a fingerprint that this version does not have,
 *   ATLAS_EVENT_UNREADABLE for a body that does not fit its schema
 * @example
 * const event = decodeEvent(record.fingerprint, record.body);
 */
export function decodeEvent(fingerprint: string, body: Buffer): AtlasEvent {
  const released = byFingerprint.get(fingerprint);
  if (released === undefined) {
    throw new AtlasError("ATLAS_SCHEMA_NEWER", `no released schema has the fingerprint ${fingerprint}`, {
      hint: "Upgrade atlas-sdk here before the programs that write to the log.",
    });
  }
  try {
    const event = readerOf(released)(body) as AtlasEvent;
    event.type = released.name as EventType;
    return event;
  } catch (error) {
    throw new AtlasError(
      "ATLAS_EVENT_UNREADABLE",
      `the body is not a ${released.name}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}
