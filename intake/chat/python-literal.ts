const WORDS: Record<string, string> = { True: "true", False: "false", None: "null" };

/** A text in either quotes, or a word that Python writes otherwise than JSON. */
const TOKENS = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\b(?:True|False|None)\b/g;

function asJson(token: string): string {
  if (token.startsWith('"')) return token;
  if (!token.startsWith("'")) return WORDS[token]!;
  const inner = token
    .slice(1, -1)
    .replaceAll("\\'", "'")
    .replace(/(?<!\\)"/g, '\\"');
  return `"${inner}"`;
}

/**
 * Reads JSON, or what Python prints of a structure of dicts, lists, texts and numbers.
 *
 * @returns undefined where the text is neither
 * @example
 * parseLiteral("{'a': None}"); // { a: null }
 */
export function parseLiteral(text: string): unknown {
  for (const candidate of [text, text.replace(TOKENS, asJson)]) {
    try {
      return JSON.parse(candidate);
    } catch {}
  }
  return undefined;
}
