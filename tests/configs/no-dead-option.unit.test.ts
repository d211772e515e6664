import { expect, test } from "vitest";
import { toCamelPath, toSnake } from "../../configs/camel-case.ts";
import { configJsonSchema } from "../../configs/config-schema.ts";
import { MAY_IMPORT } from "../../scripts/check-imports.ts";
import { type Read, readsOf } from "./type-reads.ts";

interface Node {
  properties?: Record<string, Node>;
  items?: Node;
  oneOf?: Node[];
  anyOf?: Node[];
}

/** A block of the file: where it is, and the names that its keys have in code. */
interface Block {
  path: string;
  keys: ReadonlySet<string>;
}

function blocksOf(node: Node, path = ""): Block[] {
  const same = [...(node.oneOf ?? []), ...(node.anyOf ?? []), ...(node.items ? [node.items] : [])];
  const below = Object.entries(node.properties ?? {});
  return [
    ...(below.length === 0 ? [] : [{ path, keys: new Set(below.map(([key]) => toCamelPath(key))) }]),
    ...same.flatMap((inner) => blocksOf(inner, path)),
    ...below.flatMap(([key, inner]) => blocksOf(inner, path === "" ? key : `${path}.${key}`)),
  ];
}

/** Whether a value with these properties is such a block: whole with more beside it, or a part of it. */
function isLike({ keys }: Block, from: ReadonlySet<string>): boolean {
  const shared = [...from].filter((key) => keys.has(key)).length;
  return shared * 3 >= keys.size * 2 ? shared * 2 >= from.size : shared === from.size && shared > 1;
}

/** The keys that nobody reads from a value that is like their block. */
function unreadIn(blocks: readonly Block[], reads: readonly Read[]): string[] {
  const byName = Map.groupBy(reads, ({ name }) => name);
  return blocks.flatMap((block) =>
    [...block.keys]
      .filter((key) => !(byName.get(key) ?? []).some(({ from }) => isLike(block, from)))
      .map((key) => `${block.path}.${key}`),
  );
}

const readers = Object.keys(MAY_IMPORT).filter((folder) => folder !== "configs");

test("every key of the configuration is read outside of configs/", () => {
  const blocks = blocksOf(configJsonSchema() as Node);
  const names = blocks.flatMap(({ keys }) => [...keys]);
  // Rules keep the names that they have in the file and in events.
  const reads = readsOf(new Set([...names, ...names.map(toSnake)]), readers).map(({ name, from }) => ({
    name: toCamelPath(name),
    from: new Set([...from].map(toCamelPath)),
  }));
  expect([...new Set(unreadIn(blocks, reads))]).toEqual([]);
  // A dead key is found though keys of its name are read from other blocks.
  const capture = blocks.find(({ path }) => path === "capture")!;
  const planted = { ...capture, keys: new Set([...capture.keys, "name"]) };
  expect(unreadIn([planted], reads)).toEqual(["capture.name"]);
});
