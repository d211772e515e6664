import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { toCamelPath } from "../../configs/camel-case.ts";
import { configJsonSchema } from "../../configs/config-schema.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const READERS = [
  "app",
  "cli",
  "producers",
  "processors",
  "projections",
  "log",
  "schemas",
  "reactors",
  "sinks",
];

interface Node {
  properties?: Record<string, Node>;
  items?: Node;
  oneOf?: Node[];
  anyOf?: Node[];
}

/** Every key of the file, as a path. */
function keysOf(node: Node, path: readonly string[] = []): string[] {
  const below = [...(node.oneOf ?? []), ...(node.anyOf ?? []), ...(node.items ? [node.items] : [])];
  return [
    ...below.flatMap((inner) => keysOf(inner, path)),
    ...Object.entries(node.properties ?? {}).flatMap(([key, inner]) => [
      [...path, key].join("."),
      ...keysOf(inner, [...path, key]),
    ]),
  ];
}

const sources = READERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.includes("generated"))
    .map((name) => readFileSync(join(ROOT, folder, name), "utf8")),
).join("\n");

test("every key of the configuration is read outside of configs/", () => {
  const unread = [...new Set(keysOf(configJsonSchema() as Node))].filter((path) => {
    const key = path.split(".").at(-1)!;
    return ![key, toCamelPath(key)].some((name) => new RegExp(`\\b${name}\\b`).test(sources));
  });
  expect(unread).toEqual([]);
});
