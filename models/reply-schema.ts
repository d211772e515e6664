import { z } from "zod";

type Schema = Record<string, unknown>;

/** The keywords that every provider's structured output knows; the reply is checked against the rest when it is here. */
const KNOWN = new Set(["type", "enum", "const", "anyOf", "items", "properties", "description"]);

const isObject = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function portable(schema: Schema): Schema {
  const kept: Schema = {};
  for (const [name, value] of Object.entries(schema)) if (KNOWN.has(name)) kept[name] = value;
  if (isObject(kept["items"])) kept["items"] = portable(kept["items"]);
  if (Array.isArray(kept["anyOf"])) kept["anyOf"] = kept["anyOf"].filter(isObject).map(portable);
  if (!isObject(kept["properties"])) return kept;
  const properties = Object.entries(kept["properties"])
    .filter((entry): entry is [string, Schema] => isObject(entry[1]))
    .map(([name, inner]): [string, Schema] => [name, portable(inner)])
    // Of what may be anything nothing can be promised.
    .filter(([, inner]) => Object.keys(inner).length > 0);
  return {
    ...kept,
    properties: Object.fromEntries(properties),
    required: properties.map(([name]) => name),
    additionalProperties: false,
  };
}

const known = new WeakMap<z.ZodType, Schema>();

/**
 * The JSON Schema of a reply that is checked with zod, in the part of JSON Schema that providers can promise: all
 * properties required, no further ones, no bounds.
 *
 * @example
 * jsonSchemaOf(z.object({ valid: z.boolean() }));
 */
export function jsonSchemaOf(reply: z.ZodType): Schema {
  let schema = known.get(reply);
  if (schema === undefined) {
    schema = portable(z.toJSONSchema(reply, { io: "input", unrepresentable: "any" }) as Schema);
    known.set(reply, schema);
  }
  return schema;
}

/** Whether a schema can be kept to the letter: OpenAI's strict mode wants every property required, and no others. */
export function isStrict(schema: unknown): boolean {
  if (!isObject(schema)) return true;
  const { properties, required, items, anyOf, additionalProperties } = schema;
  const inner = [items, ...(Array.isArray(anyOf) ? anyOf : [])];
  if (![schema["type"]].flat().includes("object")) return inner.every(isStrict);
  if (additionalProperties !== false || !isObject(properties) || !Array.isArray(required)) return false;
  const names = Object.keys(properties);
  return (
    names.every((name) => required.includes(name) && isStrict(properties[name])) && inner.every(isStrict)
  );
}
