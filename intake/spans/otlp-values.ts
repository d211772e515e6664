import { isObject } from "../../traces/clean-text.ts";
import { parsedText } from "./said.ts";

/** A value as OTLP writes it in JSON: under the name of its type. */
export function otlpValue(value: unknown): unknown {
  if (!isObject(value)) return value;
  const [name, ...others] = Object.keys(value);
  if (name === undefined || others.length > 0) return value;
  const inner = value[name];
  switch (name) {
    case "stringValue":
    case "string_value":
    case "boolValue":
    case "bool_value":
    case "doubleValue":
    case "double_value":
    case "bytesValue":
    case "bytes_value":
      return inner;
    case "intValue":
    case "int_value":
      return typeof inner === "string" && Number.isSafeInteger(Number(inner)) ? Number(inner) : inner;
    case "arrayValue":
    case "array_value":
      return isObject(inner) && Array.isArray(inner.values) ? inner.values.map(otlpValue) : [];
    case "kvlistValue":
    case "kvlist_value":
      return isObject(inner) ? attributesIn(inner.values) : {};
    default:
      return value;
  }
}

/** Attributes: an object of values, a list of keys with values, or JSON text of one of these. */
export function attributesIn(given: unknown): Record<string, unknown> {
  const value = parsedText(given);
  if (isObject(value)) return value;
  if (!Array.isArray(value)) return {};
  const entries = (value as unknown[])
    .filter(isObject)
    .map((entry): [string, unknown] => [
      String(entry.key ?? entry.Key),
      otlpValue(entry.value ?? entry.Value),
    ]);
  return Object.fromEntries(entries);
}
