import avsc from "avsc";
import type { SchemaProblem } from "./compatibility-rules.ts";

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
