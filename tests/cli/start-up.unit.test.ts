import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { unsupportedNode } from "../../errors/node-version.ts";
import { loadedWith } from "./static-imports.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const BINS = ["cli/atlas.ts", "cli/arc-atlas.ts"];
const COMMANDS = globSync("cli/commands/*.ts", { cwd: ROOT });
const engines = (
  JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { engines: { node: string } }
).engines.node;

test.each(BINS)("%s loads nothing that an old Node cannot, until it knows its version", (bin) => {
  const { files, packages } = loadedWith(bin);
  expect([...packages]).toEqual([]);
  expect([...files].sort()).toEqual([
    ...[bin, "cli/start.ts", "errors/atlas-error.ts", "errors/node-version.ts"].sort(),
  ]);
  // Names that a built-in module lacks in an old Node would keep it from being loaded at all.
  for (const file of files) expect(readFileSync(join(ROOT, file), "utf8")).not.toContain('from "node:');
});

test.each(["cli/atlas-program.ts", "cli/arc-atlas-program.ts"])(
  "for help, %s loads what can be typed, and nothing of what it does",
  (program) => {
    const { files, packages } = loadedWith(program);
    expect([...packages]).toEqual(["commander"]);
    const rooms = new Set([...files].map((file) => file.split("/").slice(0, -1).join("/")));
    for (const room of [
      "app",
      "cli/commands",
      "database/embedded",
      "log",
      "log/postgres",
      "models",
      "producers",
    ])
      expect(rooms).not.toContain(room);
    expect(files.size).toBeLessThan(50);
  },
);

/** What only some work needs is loaded by whoever does that work. */
const HEAVY = ["openai", "@anthropic-ai/sdk", "kafkajs", "@electric-sql/pglite", "@opentelemetry/sdk-trace"];

test.each(COMMANDS)(
  "%s loads clients of models, brokers and collectors only where they are used",
  (command) => {
    const { packages } = loadedWith(command);
    expect(HEAVY.filter((name) => packages.has(name))).toEqual([]);
  },
);

test.each(["sessions", "review", "drift", "export"])(
  "atlas %s loads neither processors nor the runtime",
  (name) => {
    const { files, packages } = loadedWith(`cli/commands/${name}.ts`);
    for (const one of ["rxjs", "prom-client", "yaml", "avsc", "hyparquet-writer"])
      expect(packages).not.toContain(one);
    for (const one of ["producers/run-session.ts", "processors/drift.ts", "app/host.ts"])
      expect(files).not.toContain(one);
  },
);

test.each([
  ["18.20.4", false],
  ["20.20.2", false],
  ["22.12.0", false],
  ["22.13.0", true],
  ["22.23.3", true],
  ["24.0.0", true],
])("Node %s is supported: %s", (version, supported) => {
  const refusal = unsupportedNode(version);
  expect(refusal === undefined).toBe(supported);
  if (!supported) expect(refusal).toMatchObject({ code: "ATLAS_NODE_UNSUPPORTED" });
});

test("the oldest Node is the one that package.json and the README name", () => {
  const least = engines.replace(">=", "");
  expect(unsupportedNode(`${least}.0`)).toBeUndefined();
  const [major, minor] = least.split(".").map(Number);
  expect(unsupportedNode(`${major}.${minor! - 1}.0`)?.message).toContain(`Node >= ${least}`);
  expect(readFileSync(join(ROOT, "README.md"), "utf8")).toContain(`Node ${least}`);
});
