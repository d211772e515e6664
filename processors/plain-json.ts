/**
 * Where a value would not come back from JSON as it went in, in words; undefined when all of it would.
 *
 * @example
 * jsonProblem({ seen: new Map() }, "state"); // "state.seen is a Map"
 */
export function jsonProblem(value: unknown, path: string): string | undefined {
  if (value === null || typeof value === "string" || typeof value === "boolean") return undefined;
  if (typeof value === "number") {
    return Number.isFinite(value) && !Object.is(value, -0)
      ? undefined
      : `${path} is ${Object.is(value, -0) ? "-0" : value}`;
  }
  if (typeof value !== "object")
    return `${path} is ${value === undefined ? "undefined" : `a ${typeof value}`}`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) {
    return `${path} is a ${value.constructor?.name || "class instance"}`;
  }
  if ("toJSON" in value && typeof value.toJSON === "function") return `${path} has a toJSON method`;
  for (const [key, inner] of Object.entries(value)) {
    const problem = jsonProblem(inner, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Freezes a value and everything in it that can be frozen. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
