import { createRequire } from "node:module";
import type { Document, Node } from "yaml";
import { faultOf } from "./yaml-faults.ts";

const require = createRequire(import.meta.url);

/** The parser, loaded with the first file that is read. */
const yaml = (): typeof import("yaml") => require("yaml") as typeof import("yaml");

/** A line and column of a file, both from 1. */
export interface Place {
  line: number;
  column: number;
}

/** A problem of the file itself. */
export interface YamlProblem {
  place: Place;
  words: string;
}

/** A YAML file with its environment variables filled in. */
export interface YamlFile {
  value: unknown;
  problems: YamlProblem[];
  /** Where a value stands, or the key of one; the nearest block around it where it is missing. */
  placeOf(path: readonly PropertyKey[], key?: string): Place;
}

const VARIABLE = /\$\$\{|\$\{([^}:]*)(?::-([^}]*))?\}/g;
const TYPED = /^(-?\d+(\.\d+)?([eE][+-]?\d+)?|true|false)$/;

/** Replaces `${NAME}` and `${NAME:-default}`; `$${` stands for `${`. */
function interpolate(text: string, env: NodeJS.ProcessEnv, missing: (words: string) => void): string {
  return text.replace(VARIABLE, (whole, name: string | undefined, fallback: string | undefined) => {
    if (name === undefined) return "${";
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      missing(
        "only the name of an environment variable may follow ${; write $${ for the characters themselves",
      );
      return whole;
    }
    const value = env[name] || fallback;
    if (value === undefined) missing(`the environment variable ${name} is not set`);
    return value ?? "";
  });
}

function fillIn(
  document: Document,
  env: NodeJS.ProcessEnv,
  problem: (node: Node, words: string) => void,
): void {
  const { parse, visit } = yaml();
  visit(document, {
    Scalar(key, node) {
      if (key === "key" || typeof node.value !== "string" || !node.value.includes("$")) return;
      const value = interpolate(node.value, env, (words) => problem(node, words));
      // Without quotes, a number from the environment is a number.
      node.value = node.type === "PLAIN" && TYPED.test(value) ? (parse(value) as unknown) : value;
    },
  });
}

/** Parses the text of a YAML file. */
export function readYaml(text: string, env: NodeJS.ProcessEnv): YamlFile {
  const { isMap, isScalar, LineCounter, parseDocument, visit } = yaml();
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  // After its first surprise a parser stumbles over everything that follows.
  const faults = [...document.errors, ...document.warnings].filter(
    ({ code }, index) => index === 0 || code !== "UNEXPECTED_TOKEN",
  );
  const problems = faults.map((error): YamlProblem => {
    const { words, offset } = faultOf(error, document, text, visit);
    return { place: placeAt(offset), words };
  });
  const placeOf = (path: readonly PropertyKey[], key?: string): Place => {
    const node = path.length === 0 ? document.contents : (document.getIn(path, true) as Node | undefined);
    if (key !== undefined && isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
      if (isScalar(pair?.key) && pair.key.range) return placeAt(pair.key.range[0]);
    }
    if (node?.range) return placeAt(node.range[0]);
    return path.length === 0 ? { line: 1, column: 1 } : placeOf(path.slice(0, -1), String(path.at(-1)));
  };
  if (problems.length > 0) return { value: undefined, problems, placeOf };
  fillIn(document, env, (node, words) => problems.push({ place: placeAt(node.range?.[0] ?? 0), words }));
  return { value: toValue(document, problems), problems, placeOf };
}

function toValue(document: Document, problems: YamlProblem[]): unknown {
  try {
    return (document.toJS() as unknown) ?? {};
  } catch {
    problems.push({ place: { line: 1, column: 1 }, words: "aliases are missing or repeat too much" });
    return undefined;
  }
}
