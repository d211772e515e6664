import type { AvroField, AvroSchema } from "./avro.ts";

/** The parts of a zod schema that say what it takes. They are the same in every release of zod 4. */
interface ZodDefinition {
  type: string;
  format?: string;
  checks?: readonly { _zod: { def: { format?: string } } }[];
  innerType?: ZodType;
  element?: ZodType;
  valueType?: ZodType;
  values?: readonly unknown[];
  defaultValue?: unknown;
  shape?: Record<string, ZodType>;
}

/** A zod schema, as far as it is looked into. */
export interface ZodType {
  readonly _zod: { readonly def: object };
}

const INTEGERS: Record<string, string> = { safeint: "long", int32: "int", uint32: "long" };

/** What makes a field of a zod object one that Avro cannot hold. */
export class NotInAvro extends Error {
  readonly path: string;
  constructor(path: string, problem: string) {
    super(problem);
    this.path = path;
  }
}

const definitionOf = (type: ZodType): ZodDefinition => type._zod.def as ZodDefinition;

const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function numberType({ format, checks = [] }: ZodDefinition): string {
  const formats = [format, ...checks.map(({ _zod }) => _zod.def.format)];
  return formats.map((one) => INTEGERS[one ?? ""]).find((one) => one !== undefined) ?? "double";
}

/**
 * The Avro fields of a zod object. What Avro cannot say (a length, a pattern, the values of an enum) zod checks where an
 * event is made.
 *
 * @param path names the records of objects within it, and the place in an error
 * @throws NotInAvro for what neither Avro nor its rules of evolution can hold
 */
export function avroFieldsOf(object: ZodType, path: string): AvroField[] {
  const { type, shape } = definitionOf(object);
  if (type !== "object" || shape === undefined)
    throw new NotInAvro(path, `is a z.${type}(), not a z.object()`);
  return Object.entries(shape).map(([name, field]) => avroField(name, field, `${path}.${name}`));
}

function avroField(name: string, field: ZodType, path: string): AvroField {
  if (!/^[A-Za-z_]\w*$/.test(name)) throw new NotInAvro(path, "has a name that is no Avro name");
  const { type, innerType, defaultValue } = definitionOf(field);
  if (type !== "default" || innerType === undefined) {
    const own = avroType(field, path);
    return { name, type: own, ...(Array.isArray(own) && { default: null }) };
  }
  const own = avroType(innerType, path);
  if (Array.isArray(own) && defaultValue !== null)
    throw new NotInAvro(path, "is nullable with another default than null, which Avro cannot widen later");
  return { name, type: own, default: defaultValue };
}

function avroType(field: ZodType, path: string): AvroSchema {
  const definition = definitionOf(field);
  const { type, innerType, element, valueType, values } = definition;
  switch (type) {
    case "string":
    case "enum":
      return "string";
    case "literal":
      if (values?.every((value) => typeof value === "string")) return "string";
      break;
    case "number":
      return numberType(definition);
    case "boolean":
      return "boolean";
    case "nullable": {
      const inner = avroType(innerType!, path);
      return Array.isArray(inner) ? inner : ["null", inner];
    }
    case "readonly":
      return avroType(innerType!, path);
    case "array":
      return { type: "array", items: avroType(element!, path) };
    case "record":
      return { type: "map", values: avroType(valueType!, path) };
    case "object":
      return {
        type: "record",
        name: path.split(".").map(upperFirst).join(""),
        fields: avroFieldsOf(field, path),
      };
    case "optional":
      throw new NotInAvro(path, "is optional; what may be missing is `.nullable().default(null)` in Avro");
  }
  throw new NotInAvro(
    path,
    `is a z.${type}(), which has no counterpart in Avro; JSON text in a z.string() has`,
  );
}
