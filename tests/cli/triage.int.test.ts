import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { atlas, userFolder } from "./from-source.ts";

test("triage init writes an adapter that a configuration loads, and replaces none unless told", async () => {
  const folder = userFolder();
  const written = await atlas(folder, ["triage", "init", "--template", "sre", "--output", "lib/triage.mjs"]);
  expect(written.code, written.stderr).toBe(0);
  expect(written.stdout).toContain("import_path: ./lib/triage.mjs");

  const again = await atlas(folder, ["triage", "init", "--output", "lib/triage.mjs"]);
  expect(again.code).toBe(1);
  expect(again.stderr).toMatch(/^ATLAS_FILE_UNWRITABLE: the file exists already .*--force/);
  expect(readFileSync(join(folder, "lib/triage.mjs"), "utf8")).toContain("sreTriage");

  writeFileSync(
    join(folder, "atlas.yaml"),
    "triage:\n  import_path: ./lib/triage.mjs\nagent: {type: openai, model: m}\n",
  );
  const args = ["run", "--task", "mend it", "--config", "atlas.yaml", "--json"];
  const { stdout, code, stderr } = await atlas(folder, [...args, "--metadata", '{"service": "billing"}'], {
    ATLAS_OFFLINE_MODE: "1",
  });
  expect(code, stderr).toBe(0);
  const events = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as AtlasEvent);
  const triaged = events.find((event) => event.type === "TaskTriaged");
  expect(triaged).toMatchObject({ adapter: "sreTriage" });
  expect(JSON.parse(triaged!.dossier)).toMatchObject({ tags: ["sre", "billing"] });

  const forced = await atlas(folder, ["triage", "init", "--output", "lib/triage.mjs", "--force"]);
  expect(forced.code).toBe(0);
  expect(readFileSync(join(folder, "lib/triage.mjs"), "utf8")).toContain("genericTriage");
});

test("a template that does not exist is refused, and nothing is written", async () => {
  const folder = userFolder();
  const { code, stderr } = await atlas(folder, ["triage", "init", "--template", "poetry"]);
  expect(code).toBe(2);
  expect(stderr).toContain("generic, sre, support, code");
  expect(existsSync(join(folder, "triage.mjs"))).toBe(false);
});
