import type { z } from "zod";
import { AtlasError } from "../errors/atlas-error.ts";
import type { AvroField, AvroRecord } from "./avro.ts";
import { addSchema } from "./codec.ts";
import { checkRules } from "./compatibility-rules.ts";
import { definedFingerprint } from "./defined-fingerprint.ts";
import {
  descriptionOf,
  type EventDescription,
  isDefined,
  rememberDescription,
  type UserTopic,
} from "./event-definitions.ts";
import type { AtlasEvent, Meta } from "./generated/events.ts";
import { RELEASED_SCHEMAS } from "./generated/released.ts";
import { newId, nowMicros } from "./identity.ts";
import { avroFieldsOf, NotInAvro } from "./zod-to-avro.ts";

/** An event that a user defined: its fields beside the envelope that every event has. */
export type DefinedEvent<Type extends string = string, Fields extends object = object> = {
  type: Type;
  meta: Meta;
} & Fields;

/** What of the envelope whoever makes an event by hand has to say. */
export type NewMeta = Pick<Meta, "source" | "sequence"> & Partial<Omit<Meta, "derivation">>;

/** An event that a user defined. */
export interface EventDefinition<
  Type extends string = string,
  Fields extends object = object,
  Draft extends object = Fields,
> extends EventDescription {
  readonly type: Type;
  /**
   * Checks what an event is to hold, and fills in what was left out.
   *
   * @throws AtlasError ATLAS_EVENT_INVALID
   */
  fieldsOf(draft: Draft): Fields;
  /**
   * Makes an event. It happens now and has an id of its own, unless `meta` says otherwise.
   *
   * @throws AtlasError ATLAS_EVENT_INVALID
   * @example
   * await atlas.log.append([atlas.log.mask(priceSet.create({ source: "billing", sequence: 1 }, { model: "m", usd: 2 }))]);
   */
  create(meta: NewMeta, draft: Draft): AtlasEvent;
  /** The event, where it is one of these; undefined for any other. */
  read(event: { readonly type: string }): DefinedEvent<Type, Fields> | undefined;
}

interface Common<Type extends string> {
  /** Its full name: a namespace of yours and a name, such as `acme.TenantCost`. */
  type: Type;
  /** Where it is written; yours, so it does not begin with `atlas.`. */
  topic: string;
  /** The field, a text, whose events stay in order; the session where none is named. */
  key?: string;
}

/** An event with its fields as a zod object: checked where one is made, and typed. */
export interface ZodEvent<Type extends string, Shape extends z.ZodObject> extends Common<Type> {
  zod: Shape;
}

/** An event with its fields in Avro. */
export interface AvroEvent<Type extends string> extends Common<Type> {
  avsc: { fields: readonly AvroField[]; doc?: string };
}

const refuse = (where: string, problem: string, hint: string, cause?: unknown): never => {
  throw new AtlasError("ATLAS_EVENT_DEFINITION_INVALID", problem, { where: `event ${where}`, hint, cause });
};

/** The envelope in Avro, as every event of Atlas has it. */
const envelope = (): AvroField => (JSON.parse(RELEASED_SCHEMAS[0]!.schema) as AvroRecord).fields[0]!;

function fieldsIn(definition: ZodEvent<string, z.ZodObject> | AvroEvent<string>): readonly AvroField[] {
  if ("avsc" in definition) return definition.avsc.fields;
  const name = definition.type.slice(definition.type.lastIndexOf(".") + 1);
  try {
    return avroFieldsOf(definition.zod, name);
  } catch (error) {
    if (!(error instanceof NotInAvro)) throw error;
    return refuse(
      definition.type,
      `${error.path} ${error.message}`,
      "See docs/processors.md for the types that an event may hold.",
    );
  }
}

function recordOf(definition: ZodEvent<string, z.ZodObject> | AvroEvent<string>): AvroRecord {
  const { type } = definition;
  const at = type.lastIndexOf(".");
  const fields = fieldsIn(definition);
  for (const { name } of fields)
    if (name === "meta" || name === "type")
      refuse(type, `it has a field \`${name}\`, which every event has already`, "Name the field otherwise.");
  const record: AvroRecord = {
    type: "record",
    name: type.slice(at + 1),
    namespace: type.slice(0, at),
    fields: [envelope(), ...fields],
  };
  const [problem] = checkRules(type, record);
  if (problem !== undefined)
    refuse(
      type,
      problem.problem,
      "Use strings for vocabularies, and null as the default of what may be null.",
    );
  return record;
}

function checkNames({ type, topic }: Common<string>): void {
  if (!/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$/.test(type) || type.startsWith("atlas."))
    refuse(
      type,
      `its type is ${JSON.stringify(type)}`,
      "Use a namespace of yours and a name: acme.TenantCost.",
    );
  if (!/^[A-Za-z0-9._-]{1,200}$/.test(topic) || topic.startsWith("atlas."))
    refuse(
      type,
      `its topic is ${JSON.stringify(topic)}`,
      "Use letters, digits, dots, hyphens and underscores; `atlas.` is taken.",
    );
}

function checkKey({ type, key }: Common<string>, { fields }: AvroRecord): void {
  if (key !== undefined && fields.find(({ name }) => name === key)?.type !== "string")
    refuse(
      type,
      `its key is ${JSON.stringify(key)}, which is no field that always is a text`,
      "Name such a field.",
    );
}

function valuesOf(definition: ZodEvent<string, z.ZodObject> | AvroEvent<string>, draft: object): object {
  if (!("zod" in definition)) return draft;
  const checked = definition.zod.safeParse(draft);
  if (checked.success) return checked.data;
  const { path, message } = checked.error.issues[0]!;
  throw new AtlasError("ATLAS_EVENT_INVALID", `${definition.type}: ${message}`, {
    where: path.length === 0 ? definition.type : `${definition.type}.${path.join(".")}`,
  });
}

/**
 * Defines an event of your own: it goes through the log like those of Atlas, with their envelope, in Avro, on a topic of
 * yours. Its schema is registered when the first one is written, and each new version has to be able to read, and be read
 * by, every earlier one: add fields with `.nullable().default(null)`, and take none away.
 *
 * A type means one thing in a process. Defining it twice in the same way gives the same event.
 *
 * @throws AtlasError ATLAS_EVENT_DEFINITION_INVALID naming what cannot be held
 * @example
 * const tenantCost = defineEvent({
 *   type: "acme.TenantCost", topic: "acme.costs", key: "tenant",
 *   zod: z.object({ tenant: z.string(), day: z.string(), tokens: z.int() }),
 * });
 */
export function defineEvent<const Type extends string, Shape extends z.ZodObject>(
  definition: ZodEvent<Type, Shape>,
): EventDefinition<Type, z.output<Shape>, z.input<Shape>>;
export function defineEvent<Fields extends object = Record<string, unknown>>(
  definition: AvroEvent<string>,
): EventDefinition<string, Fields>;
export function defineEvent(
  definition: ZodEvent<string, z.ZodObject> | AvroEvent<string>,
): EventDefinition<string, object> {
  const { type, topic, key } = definition;
  checkNames(definition);
  const record = recordOf(definition);
  checkKey(definition, record);
  const description: EventDescription = {
    type,
    topic: topic as UserTopic,
    key,
    fingerprint: definedFingerprint(type, record),
    schema: JSON.stringify(record),
  };
  const known = descriptionOf(type);
  if (known === undefined || !isDefined(type)) {
    addSchema({ name: type, version: 0, fingerprint: description.fingerprint, schema: description.schema });
    rememberDescription(description);
  } else if (
    known.fingerprint !== description.fingerprint ||
    known.topic !== description.topic ||
    known.key !== key
  ) {
    refuse(type, "it is defined twice, in two ways", "Define it in one file, and import it from there.");
  }
  const fieldsOf = (draft: object): object => valuesOf(definition, draft);
  return {
    ...description,
    fieldsOf,
    create: (meta, draft) =>
      ({
        type,
        meta: { event_id: newId(), occurred_at: nowMicros(), time_assumed: false, ...meta },
        ...fieldsOf(draft),
      }) as unknown as AtlasEvent,
    read: (event) => (event.type === type ? (event as DefinedEvent) : undefined),
  };
}
