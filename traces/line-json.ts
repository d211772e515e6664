/** Line ends that JSON leaves alone and that line-splitting readers do not. */
const LINE_ENDS = /[\u0085\u2028\u2029]/g;

const quote = (text: string): string =>
  JSON.stringify(text).replace(
    LINE_ENDS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

function write(value: unknown): string | undefined {
  if (typeof value === "string") return quote(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => write(item) ?? "null").join(", ")}]`;
  const fields: string[] = [];
  for (const [key, inner] of Object.entries(value)) {
    const text = write(inner);
    if (text !== undefined) fields.push(`${quote(key)}: ${text}`);
  }
  return `{${fields.join(", ")}}`;
}

/**
 * JSON on one line with `", "` and `": "` between, as Python writes it; characters outside ASCII stay as they are.
 *
 * @example
 * lineJson({ task: "zählen", steps: [] }); // '{"task": "zählen", "steps": []}'
 */
export const lineJson = (value: object): string => write(value)!;
