/** A part of a JSON text, exactly as it was written. */
export type JsonSlice = string;

const STRUCTURE = /["{}[\]]/g;

/** The index after the string whose opening quote stands at `from`. */
function endOfString(text: string, from: number): number {
  for (let at = from + 1; ; at += 1) {
    at = text.indexOf('"', at);
    let slashes = 0;
    while (text[at - 1 - slashes] === "\\") slashes += 1;
    if (slashes % 2 === 0) return at + 1;
  }
}

/** The index after the value that starts at `from`. */
function endOfValue(text: string, from: number): number {
  const first = text[from];
  if (first === '"') return endOfString(text, from);
  if (first !== "{" && first !== "[") {
    let at = from;
    while (at < text.length && !",]} \t\r\n".includes(text[at]!)) at += 1;
    return at;
  }
  let depth = 0;
  STRUCTURE.lastIndex = from;
  for (;;) {
    const { index } = STRUCTURE.exec(text)!;
    const mark = text[index]!;
    if (mark === '"') STRUCTURE.lastIndex = endOfString(text, index);
    else if (mark === "{" || mark === "[") depth += 1;
    else depth -= 1;
    if (depth === 0) return index + 1;
  }
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (" \t\r\n".includes(text[at] ?? "x")) at += 1;
  return at;
}

/**
 * The members of a JSON object, each as the text it was written in. Of two members with one name the last counts,
 * as for `JSON.parse`.
 *
 * @param text valid JSON text of an object
 * @example
 * membersOf('{"n": 1.0}').get("n"); // "1.0"
 */
export function membersOf(text: string): Map<string, JsonSlice> {
  const members = new Map<string, JsonSlice>();
  let at = skipSpace(text, skipSpace(text, 0) + 1);
  while (text[at] !== "}") {
    const nameEnd = endOfString(text, at);
    const name = JSON.parse(text.slice(at, nameEnd)) as string;
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const end = endOfValue(text, start);
    members.set(name, text.slice(start, end));
    at = skipSpace(text, end);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return members;
}

/**
 * The elements of a JSON array, each as the text it was written in.
 *
 * @param text valid JSON text of an array
 * @example
 * elementsOf("[1.0, {}]"); // ["1.0", "{}"]
 */
export function elementsOf(text: string): JsonSlice[] {
  const elements: JsonSlice[] = [];
  let at = skipSpace(text, skipSpace(text, 0) + 1);
  while (text[at] !== "]") {
    const end = endOfValue(text, at);
    elements.push(text.slice(at, end));
    at = skipSpace(text, end);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return elements;
}

/** How deeply the arrays and objects of a valid JSON text are nested. */
export function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  STRUCTURE.lastIndex = 0;
  for (let found = STRUCTURE.exec(text); found !== null; found = STRUCTURE.exec(text)) {
    const mark = found[0];
    if (mark === '"') STRUCTURE.lastIndex = endOfString(text, found.index);
    else if (mark === "{" || mark === "[") {
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else depth -= 1;
  }
  return deepest;
}
