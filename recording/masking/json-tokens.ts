export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;

/** The end of the JSON string that begins at `start`. */
export function endOfString(text: string, start: number): number {
  let index = start + 1;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) return index + 1;
    index += code === BACKSLASH ? 2 : 1;
  }
  return text.length;
}

/** Says whether a number of JSON begins with this. */
export const beginsNumber = (code: number): boolean => (code >= 0x30 && code <= 0x39) || code === 0x2d;

/** Where the number or the literal ends that begins at `start`. */
export function endOfScalar(text: string, start: number): number {
  let index = start + 1;
  while (index < text.length && /[\w.+-]/.test(text[index]!)) index += 1;
  return index;
}

/** The end of the list or object that begins at `start`. */
export function endOfNested(text: string, start: number): number {
  let depth = 0;
  for (let index = start; index < text.length; ) {
    const char = text[index]!;
    if (char === '"') {
      index = endOfString(text, index);
      continue;
    }
    index += 1;
    if (char === "{" || char === "[") depth += 1;
    else if (char === "}" || char === "]") depth -= 1;
    if (depth === 0) return index;
  }
  return text.length;
}

/** What a string of JSON says. */
export const saidBy = (token: string): string =>
  token.includes("\\") ? (JSON.parse(token) as string) : token.slice(1, -1);

/** Says whether a whole text is JSON: an object, a list or a string. */
export function isJson(text: string): boolean {
  const first = text.charCodeAt(0);
  if (first > 0x22 && first !== 0x5b && first !== 0x7b && first < 0x80) return false;
  if (!/^\s*[[{"]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
