import type { Document, Node, YAMLError } from "yaml";

type Code = YAMLError["code"];

/** What stands open up to its fault: the parser names the end of it, people look for its beginning. */
interface Open {
  fault: RegExp;
  words: string;
  isIt(node: Node, text: string): boolean;
}

const opensWith =
  (sign: string) =>
  (node: Node, text: string): boolean =>
    node.range != null && text[node.range[0]] === sign;

const OPEN: readonly Open[] = [
  {
    fault: /^Flow sequence .* end with a \]/,
    words: "a list that is not closed: its ] is missing",
    isIt: opensWith("["),
  },
  {
    fault: /^Flow map .* end with a \}/,
    words: "a block in braces that is not closed: its } is missing",
    isIt: opensWith("{"),
  },
  {
    fault: /^Missing closing "quote/,
    words: 'a text in quotes that is not closed: its " is missing',
    isIt: opensWith('"'),
  },
  {
    fault: /^Missing closing 'quote/,
    words: "a text in quotes that is not closed: its ' is missing",
    isIt: opensWith("'"),
  },
];

/** Parsers quote what they stumble over, which may be part of a password: nothing of theirs is repeated. */
const WORDS: Readonly<Partial<Record<Code, string>>> = {
  TAG_RESOLVE_FAILED: "a value that starts with ! or % needs quotes",
  BAD_DIRECTIVE: "a value that starts with ! or % needs quotes",
  BAD_ALIAS: "a value that starts with * or & needs quotes",
  BAD_SCALAR_START: "a value that starts with @ or ` needs quotes",
  BAD_DQ_ESCAPE: "an escape that YAML does not know: in double quotes a backslash is written twice",
  BAD_INDENT: "a line that is not indented like those around it",
  BLOCK_AS_IMPLICIT_KEY: "a second key in one line, or the next line is indented too far",
  BLOCK_IN_FLOW: "a block of lines within brackets or braces",
  DUPLICATE_KEY: "a key that is there twice",
  MISSING_CHAR: "a line without a colon after its key",
  MULTILINE_IMPLICIT_KEY: "a key needs a colon and a space after it, in the same line",
  MULTIPLE_DOCS: "a second document: a file holds one",
  TAB_AS_INDENT: "a tab: lines are indented with spaces",
  UNEXPECTED_TOKEN: "something that cannot stand here",
};

/** What is wrong with a file, and where: from which offset on. */
export function faultOf(
  error: YAMLError,
  document: Document,
  text: string,
  visit: typeof import("yaml").visit,
): { words: string; offset: number } {
  const [offset] = error.pos;
  const open = OPEN.find(({ fault }) => fault.test(error.message));
  if (open === undefined) return { words: WORDS[error.code] ?? "this is not YAML", offset };
  let begin = offset;
  visit(document, {
    Node(_key, node) {
      if (node.range?.[1] === offset && open.isIt(node as Node, text)) begin = node.range[0];
    },
  });
  return { words: open.words, offset: begin };
}
