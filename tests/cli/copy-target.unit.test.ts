import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { copyTargetOf } from "../../cli/copy-target.ts";

test.each([
  ["backup/log", undefined, { kind: "embedded", path: expect.stringMatching(/backup\/log$/) }],
  ["postgres://db/atlas", undefined, { kind: "postgres", databaseUrl: "postgres://db/atlas" }],
  ["postgresql://db/atlas", undefined, { kind: "postgres", databaseUrl: "postgresql://db/atlas" }],
  [
    "kafka://one:9092,two:9093",
    "http://registry:8081",
    { kind: "kafka", brokers: ["one:9092", "two:9093"], schemaRegistryUrl: "http://registry:8081" },
  ],
] as const)("%s names a log", (to, registry, log) => {
  expect(copyTargetOf(to, registry)).toMatchObject(log);
});

test("a YAML file names the log that it configures", () => {
  const folder = mkdtempSync(join(tmpdir(), "atlas-copy-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "copy.yaml");
  writeFileSync(file, "log: {kind: postgres, database_url: postgresql://db/copy}\n");
  expect(copyTargetOf(file, undefined)).toMatchObject({
    kind: "postgres",
    databaseUrl: "postgresql://db/copy",
  });
});

test.each([
  ["", undefined, "ATLAS_USAGE", "--to"],
  ["kafka://one:9092", undefined, "ATLAS_USAGE", "--to"],
  ["backup", "http://registry:8081", "ATLAS_USAGE", "--schema-registry-url"],
  ["kafka://", "http://registry:8081", "ATLAS_CONFIG_INVALID", undefined],
  ["kafka://one", "http://registry:8081", "ATLAS_CONFIG_INVALID", undefined],
  ["kafka://one:9092", "registry", "ATLAS_CONFIG_INVALID", undefined],
  ["none.yaml", undefined, "ATLAS_CONFIG_NOT_FOUND", "none.yaml"],
] as const)("%j with %j is refused", (to, registry, code, where) => {
  expect(() => copyTargetOf(to, registry)).toThrow(
    expect.objectContaining({ code, ...(where !== undefined && { where }) }),
  );
});
