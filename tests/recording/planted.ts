import type { AtlasEvent, EventType } from "../../schemas/generated/events.ts";
import { RELEASED_SCHEMAS } from "../../schemas/generated/released.ts";
import { newId, nowMicros } from "../../schemas/identity.ts";
import { topicOf } from "../../schemas/topics.ts";
import { VOCABULARIES } from "../../schemas/vocabulary.ts";

type Schema =
  | string
  | Schema[]
  | { type: Schema; name?: string; logicalType?: string; items?: Schema; fields?: Field[] };
interface Field {
  name: string;
  type: Schema;
}

/** A value of a schema with a text in every field that may hold any. */
function planted(
  schema: Schema,
  canary: string,
  named: Map<string, Schema>,
  allowed?: readonly string[],
): unknown {
  if (Array.isArray(schema)) return planted(schema[1]!, canary, named, allowed);
  if (typeof schema === "string") {
    if (named.has(schema)) return planted(named.get(schema)!, canary, named);
    if (schema === "string") return allowed?.[0] ?? `before ${canary} after`;
    if (schema === "bytes") return Buffer.alloc(0);
    return schema === "boolean" ? false : 1;
  }
  if (schema.name !== undefined) named.set(schema.name, schema);
  if (schema.logicalType === "uuid") return newId();
  if (schema.logicalType === "json")
    return JSON.stringify({
      [canary]: [canary, `line\n${canary}`, JSON.stringify({ [canary]: canary })],
      text: `\`\`\`json\n${JSON.stringify({ n: 1, of: [canary] })}\n\`\`\``,
    });
  if (schema.type === "array") return [planted(schema.items!, canary, named)];
  if (schema.type !== "record") return planted(schema.type, canary, named, allowed);
  return Object.fromEntries(schema.fields!.map(({ name, type }) => [name, planted(type, canary, named)]));
}

/** Which event it is. */
interface Place {
  sessionId: string;
  sequence: number;
}

/** One event of a type, about a session, with a text in every field of its draft and its envelope. */
export function plantedEvent(type: EventType, canary: string, { sessionId, sequence }: Place): AtlasEvent {
  const { schema } = RELEASED_SCHEMAS.findLast(({ name }) => name === type)!;
  const named = new Map<string, Schema>();
  const { fields } = JSON.parse(schema) as { fields: Field[] };
  const draft = Object.fromEntries(
    fields.map((field) => [field.name, planted(field.type, canary, named, VOCABULARIES[type]?.[field.name])]),
  );
  const own = topicOf(type) === "atlas.sessions";
  const source = own ? sessionId : `${type}: ${canary}`;
  const meta = {
    ...(draft["meta"] as object),
    session_id: sessionId,
    source,
    sequence,
    occurred_at: nowMicros(),
  };
  return { ...draft, type, meta } as unknown as AtlasEvent;
}

/** Every type of event. */
export const EVENT_TYPES = [...new Set(RELEASED_SCHEMAS.map(({ name }) => name as EventType))];

/** One event of each type, with a text in every field. */
export function plantedEvents(sessionId: string, canary: string): AtlasEvent[] {
  const first: EventType[] = ["SessionStarted", ...EVENT_TYPES.filter((type) => type !== "SessionStarted")];
  return first.map((type, index) => plantedEvent(type, canary, { sessionId, sequence: index + 1 }));
}
