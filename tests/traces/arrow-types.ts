/** What Arrow would make of the values at one path; `null` gives way to anything. */
type Kind = "null" | "bool" | "number" | "string" | "list" | "struct";

function kindOf(value: unknown): Kind {
  if (value === null || value === undefined) return "null";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return "number";
  if (typeof value === "string") return "string";
  return Array.isArray(value) ? "list" : "struct";
}

/**
 * The kinds of values at each path of some records, as Arrow's inference sees them: every path needs exactly one
 * besides null. The elements of a list share a path.
 */
export function kindsByPath(records: readonly unknown[]): Map<string, Set<Kind>> {
  const kinds = new Map<string, Set<Kind>>();
  const visit = (value: unknown, path: string): void => {
    const kind = kindOf(value);
    if (kind !== "null") kinds.set(path, (kinds.get(path) ?? new Set()).add(kind));
    if (Array.isArray(value)) for (const item of value) visit(item, `${path}[]`);
    else if (kind === "struct") {
      for (const [key, inner] of Object.entries(value as object)) visit(inner, `${path}.${key}`);
    }
  };
  for (const record of records) visit(record, "");
  return kinds;
}

/** Paths with more than one kind, in words. */
export const mixedPaths = (records: readonly unknown[]): string[] =>
  [...kindsByPath(records)]
    .filter(([, kinds]) => kinds.size > 1)
    .map(([path, kinds]) => `${path}: ${[...kinds].join(", ")}`);
