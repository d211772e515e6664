import { isDeepStrictEqual } from "node:util";
import { isObject } from "../../traces/clean-text.ts";

const DEEPEST = 64;
/** A schema whose alternatives refer to itself would be followed without end. */
const MOST_LOOKS = 10_000;

const isOf = (value: unknown, type: unknown): boolean => {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isObject(value);
  if (type === "integer") return typeof value === "number" && Number.isInteger(value);
  if (type === "number" || type === "string" || type === "boolean") return typeof value === type;
  return true;
};

interface At {
  root: unknown;
  depth: number;
  /** How much more is looked at; what is not holds. */
  budget: { looks: number };
}

/** What a reference within the schema points to; undefined where it points elsewhere. */
function referred(root: unknown, reference: string): unknown {
  if (!reference.startsWith("#")) return undefined;
  let found = root;
  for (const name of reference.split("/").slice(1)) {
    const key = name.replaceAll("~1", "/").replaceAll("~0", "~");
    found = isObject(found) && Object.hasOwn(found, key) ? found[key] : undefined;
  }
  return found;
}

function broken(schema: unknown, value: unknown, { root, depth, budget }: At): string | undefined {
  if (schema === false) return "something that may not be there";
  budget.looks -= 1;
  if (!isObject(schema) || depth > DEEPEST || budget.looks < 0) return undefined;
  const inner = { root, depth: depth + 1, budget };
  if (typeof schema.$ref === "string") {
    const fault = broken(referred(root, schema.$ref), value, inner);
    if (fault !== undefined) return fault;
  }
  const { type } = schema;
  if (type !== undefined && !(Array.isArray(type) ? type : [type]).some((each) => isOf(value, each)))
    return "a value of another type";
  if (Array.isArray(schema.enum) && !schema.enum.some((each) => isDeepStrictEqual(each, value)))
    return "a value that is not among those listed";
  if (Object.hasOwn(schema, "const") && !isDeepStrictEqual(schema.const, value))
    return "a value that is not among those listed";
  for (const each of Array.isArray(schema.allOf) ? (schema.allOf as unknown[]) : []) {
    const fault = broken(each, value, inner);
    if (fault !== undefined) return fault;
  }
  for (const either of [schema.anyOf, schema.oneOf])
    if (Array.isArray(either) && either.every((each) => broken(each, value, inner) !== undefined))
      return "a value that fits none of the alternatives";
  if (isObject(value)) return brokenObject(schema, value, inner);
  if (!Array.isArray(value)) return undefined;
  return (value as unknown[]).map((each) => broken(schema.items, each, inner)).find((fault) => fault);
}

function brokenObject(
  schema: Record<string, unknown>,
  value: Record<string, unknown>,
  at: At,
): string | undefined {
  const { required, properties, additionalProperties, patternProperties } = schema;
  if (Array.isArray(required) && required.some((name) => !Object.hasOwn(value, String(name))))
    return "no value for something that is required";
  const known = isObject(properties) ? properties : {};
  for (const [name, each] of Object.entries(value)) {
    const isKnown = Object.hasOwn(known, name);
    if (!isKnown && isObject(patternProperties)) continue;
    if (!isKnown && additionalProperties === false) return "something that is not declared";
    const fault = broken(isKnown ? known[name] : additionalProperties, each, at);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/**
 * What a value has against a JSON schema, in words that repeat nothing of it; undefined where it fits. Looks at types,
 * what is required, listed values, what is not declared, alternatives, and references within the schema. Other keywords
 * hold: a schema comes from a recording, and no code is made of it.
 *
 * @example
 * schemaFault({ type: "object", required: ["city"] }, {}); // "no value for something that is required"
 */
export const schemaFault = (schema: unknown, value: unknown): string | undefined =>
  broken(schema, value, { root: schema, depth: 0, budget: { looks: MOST_LOOKS } });
