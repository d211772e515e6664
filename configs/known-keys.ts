import { toSnake } from "./camel-case.ts";
import { configJsonSchema } from "./config-schema.ts";
import { nearestName } from "./nearest-name.ts";

interface SchemaNode {
  properties?: Record<string, SchemaNode>;
  items?: SchemaNode;
  oneOf?: SchemaNode[];
  anyOf?: SchemaNode[];
  const?: unknown;
}

const SELECTORS = ["kind", "type"];

const flat = (node: SchemaNode): SchemaNode[] => (node.oneOf ?? node.anyOf)?.flatMap(flat) ?? [node];

function kindOf(node: SchemaNode): unknown {
  return SELECTORS.map((name) => node.properties?.[name]?.const).find((value) => value !== undefined);
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;

/** The blocks that may stand at a path of the file: one, or one of each kind. */
function blocksAt(path: readonly PropertyKey[], value: unknown): { blocks: SchemaNode[]; kind: unknown } {
  let blocks: SchemaNode[] = [configJsonSchema() as SchemaNode];
  let at = value;
  for (const key of path) {
    blocks = blocks
      .map((block) => (typeof key === "number" ? block.items : block.properties?.[String(key)]))
      .filter((block) => block !== undefined);
    blocks = blocks.flatMap(flat);
    at = fieldOf(at, String(key));
  }
  return { blocks, kind: SELECTORS.map((name) => fieldOf(at, name)).find((found) => found !== undefined) };
}

/** What to do about a key that a block of the file does not have. */
export function adviceFor(key: string, path: readonly PropertyKey[], value: unknown): string {
  const { blocks, kind } = blocksAt(path, value);
  const own =
    blocks.find((block) => blocks.length === 1 || kindOf(block) === kind) ??
    blocks.find((block) => kindOf(block) === undefined);
  const names = Object.keys(own?.properties ?? {});
  const others = blocks
    .filter((block) => block !== own && Object.hasOwn(block.properties ?? {}, key))
    .map(kindOf)
    .filter((other) => other !== undefined);
  if (others.length > 0) return `it belongs to ${others.join(" and ")}, not to ${String(kind)}`;
  const near = names.find((name) => name === toSnake(key)) ?? nearestName(key, names);
  return near === undefined ? `known are ${names.join(", ")}` : `did you mean ${near}?`;
}
