import avsc from "avsc";
import type { AvroSchema } from "./tools/assemble.ts";

/** One way in which a schema breaks a rule; empty lists mean that all is well. */
export interface SchemaProblem {
  schema: string;
  problem: string;
}

const compile = (schema: unknown): avsc.Type => avsc.Type.forSchema(schema as avsc.Schema);

function unreadable(reader: unknown, writer: unknown): string | undefined {
  try {
    compile(reader).createResolver(compile(writer));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * Checks one schema against every earlier version, in both directions (FULL_TRANSITIVE).
 *
 * @param earlier earlier versions, oldest first
 * @returns one problem for each version and direction that breaks
 * @example
 * const problems = checkCompatibility("SessionEnded", next, [v1, v2]);
 */
export function checkCompatibility(
  name: string,
  next: unknown,
  earlier: readonly unknown[],
): SchemaProblem[] {
  const problems: SchemaProblem[] = [];
  earlier.forEach((version, index) => {
    const backward = unreadable(next, version);
    if (backward !== undefined) {
      problems.push({ schema: name, problem: `cannot read what version ${index + 1} wrote: ${backward}` });
    }
    const forward = unreadable(version, next);
    if (forward !== undefined) {
      problems.push({ schema: name, problem: `version ${index + 1} cannot read what it writes: ${forward}` });
    }
  });
  return problems;
}

/**
 * Checks the rules that keep schemas evolvable: no enums, and no union but a nullable one that defaults to null.
 *
 * @example
 * checkRules("SessionEnded", schema); // []
 */
export function checkRules(name: string, schema: AvroSchema): SchemaProblem[] {
  const problems: SchemaProblem[] = [];
  const visit = (node: AvroSchema, path: string): void => {
    if (Array.isArray(node)) {
      if (node.length !== 2 || node[0] !== "null")
        problems.push({ schema: name, problem: `${path} is a union other than [null, X]` });
      for (const branch of node) visit(branch, path);
      return;
    }
    if (typeof node === "string") return;
    if ((node.type as string) === "enum") problems.push({ schema: name, problem: `${path} is an enum` });
    if ("items" in node && node.items !== undefined) visit(node.items, `${path}[]`);
    if ("fields" in node) {
      for (const field of node.fields) {
        if (Array.isArray(field.type) && field.default !== null) {
          problems.push({
            schema: name,
            problem: `${path}.${field.name} is nullable but does not default to null`,
          });
        }
        visit(field.type, `${path}.${field.name}`);
      }
    }
  };
  visit(schema, name);
  return problems;
}
