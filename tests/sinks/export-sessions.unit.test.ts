import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { newId } from "../../schemas/identity.ts";
import { type ExportManifest, exportSessions } from "../../sinks/jsonl/export-sessions.ts";
import { emptyTrace } from "../../traces/fold.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import { readerOf } from "../files/reader.ts";

const ORIGIN = {
  log: { id: "log", kind: "postgres" },
  positions: {},
  filters: {},
  package: { name: "atlas-sdk", version: "0" },
};

let folder: string;
let output: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "atlas-export-"));
  output = join(folder, "traces.jsonl");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function* traces(count: number): AsyncGenerator<SessionTrace> {
  for (let number = 0; number < count; number += 1) yield emptyTrace(newId());
}
const exported = (to = output, force = false, count = 3) =>
  exportSessions({ sessions: traces(count), output: to, origin: ORIGIN, force, simulatedLeftOut: 0 });
const manifestOf = (path: string): ExportManifest =>
  JSON.parse(readFileSync(`${path}.manifest.json`, "utf8")) as ExportManifest;
const digestOf = (data: string | Buffer): string => createHash("sha256").update(data).digest("hex");

test("of several exports to one path at once, the manifest that stands is that of the file that stands", async () => {
  const summaries = await Promise.all([1, 2, 3, 4, 5, 6].map((count) => exported(output, false, count)));
  const { file, sessions } = manifestOf(output);
  expect(file.sha256).toBe(digestOf(readFileSync(output)));
  expect(summaries[sessions - 1]?.manifest.file).toEqual(file);
  expect(readdirSync(folder).sort()).toEqual(["traces.jsonl", "traces.jsonl.manifest.json"]);
});

test("a file that is no export is replaced when asked to, and an export always", async () => {
  writeFileSync(output, "mine\n");
  await expect(exported()).rejects.toMatchObject({
    code: "ATLAS_FILE_UNWRITABLE",
    where: output,
    hint: expect.stringContaining("--force"),
  });
  expect(readFileSync(output, "utf8")).toBe("mine\n");
  await exported(output, true);
  const { sessions } = (await exported(output, false, 2)).manifest;
  expect([sessions, manifestOf(output).sessions]).toEqual([2, 2]);
});

test("a file with nothing in it may be replaced", async () => {
  writeFileSync(output, "");
  expect((await exported()).manifest.sessions).toBe(3);
});

test("where nothing passes the filters, what stood there stays", async () => {
  const { file } = await exported();
  await expect(exported(output, false, 0)).rejects.toMatchObject({ code: "ATLAS_NOTHING_TO_EXPORT" });
  expect(digestOf(readFileSync(output))).toBe(file.sha256);
  expect(manifestOf(output).file.sha256).toBe(file.sha256);
});

test("a pipe gets the sessions and no manifest", async () => {
  execFileSync("mkfifo", [output]);
  const exporting = exported();
  const read = await text(readerOf(output));
  const { file, manifestPath } = await exporting;
  expect([file.sha256, manifestPath]).toEqual([digestOf(read), undefined]);
  expect(readdirSync(folder)).toEqual(["traces.jsonl"]);
});

test("through a link the export that it leads to is replaced, manifest and all, and the link stays", async () => {
  const real = join(folder, "real.jsonl");
  symlinkSync("real.jsonl", output);
  const first = await exported();
  expect(first.manifestPath).toBe(`${real}.manifest.json`);
  expect(manifestOf(real).file).toMatchObject({ name: "real.jsonl", sha256: first.file.sha256 });
  // It is an export, by whichever name it was written.
  await exported(real, false, 2);
  const { file } = await exported(output, false, 4);
  expect(manifestOf(real).file).toMatchObject({ name: "real.jsonl", sha256: file.sha256 });
  expect(digestOf(readFileSync(real))).toBe(file.sha256);
  expect(readlinkSync(output)).toBe("real.jsonl");
  expect(readdirSync(folder).sort()).toEqual(["real.jsonl", "real.jsonl.manifest.json", "traces.jsonl"]);
});

test("a link to a file that is no export asks for --force, and keeps leading there", async () => {
  const real = join(folder, "real.jsonl");
  writeFileSync(real, "mine\n");
  symlinkSync(real, output);
  await expect(exported()).rejects.toMatchObject({ hint: expect.stringContaining("--force") });
  // Neither does a manifest beside the link make it one.
  writeFileSync(`${output}.manifest.json`, JSON.stringify({ format: "atlas-jsonl/1" }));
  await expect(exported()).rejects.toMatchObject({ code: "ATLAS_FILE_UNWRITABLE" });
  expect(readFileSync(real, "utf8")).toBe("mine\n");
  const { file } = await exported(output, true);
  expect(digestOf(readFileSync(real))).toBe(file.sha256);
  expect(readlinkSync(output)).toBe(real);
});
