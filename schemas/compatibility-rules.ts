import type { AvroSchema } from "./avro.ts";

/** One way in which a schema breaks a rule; empty lists mean that all is well. */
export interface SchemaProblem {
  schema: string;
  problem: string;
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
