type Node = Record<string, unknown>;

/**
 * The string at a path of keys and indexes joined by dots; undefined where there is none.
 *
 * @example
 * textAt(event, "plan.steps.0.description");
 */
export function textAt(value: object, path: string): string | undefined {
  let node: unknown = value;
  for (const key of path.split(".")) {
    if (typeof node !== "object" || node === null || !Object.hasOwn(node, key)) return undefined;
    node = (node as Node)[key];
  }
  return typeof node === "string" ? node : undefined;
}

/** A copy of a value with another string at a path; what is not on the path is shared. */
export function withTextAt<T extends object>(value: T, path: string, text: string): T {
  const [key, ...rest] = path.split(".");
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Node;
  copy[key!] = rest.length === 0 ? text : withTextAt(copy[key!] as object, rest.join("."), text);
  return copy as T;
}

/** The path of every string in a value, in order. */
export function textPaths(value: unknown, prefix = ""): string[] {
  if (typeof value === "string") return [prefix];
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    textPaths(inner, prefix === "" ? key : `${prefix}.${key}`),
  );
}
