import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Here, here, hereServed } from "./here.ts";
import { expectOneLine } from "./one-line.ts";
import { linesOf, recorded, tenRuns } from "./recorded.ts";

/** Mounts a file system of this size; undefined where this user may not. */
function smallDisk(folder: string, kilobytes: number): (() => void) | undefined {
  mkdirSync(folder);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${kilobytes}k`, "tmpfs", folder], { stdio: "ignore" });
    return () => execFileSync("umount", ["-l", folder]);
  } catch {
    return undefined;
  }
}

const NO_MOUNT = "this user may not mount a small disk";

const shell = new Here();
beforeAll(async () => {
  await shell.serve();
  const long = "a long answer. ".repeat(4000);
  const messages = [
    { role: "user", content: "Tell me all" },
    { role: "assistant", content: long },
  ];
  shell.write("runs.jsonl", tenRuns() + linesOf([recorded(10, { messages, reward: 1 })]));
  await shell.json("import", "runs.jsonl");
  await shell.json("review", "approve", "--all", "--status", "pending");
});
afterAll(() => shell.close());

test("without an approved session it ends with 1, and writes no file", async () => {
  const ours = await hereServed();
  ours.write("runs.jsonl", tenRuns());
  await ours.json("import", "runs.jsonl");
  const { code, stderr } = await ours.run("arc-atlas", "--output", "traces.jsonl");
  expect(code).toBe(1);
  expectOneLine(stderr, "ATLAS_NOTHING_TO_EXPORT");
  expect(readdirSync(ours.folder).sort()).toEqual([".atlas", "runs.jsonl"]);
});

test("writes a line for each approved session, and a manifest that names the bytes", async () => {
  expect((await shell.run("arc-atlas", "--output", "traces.jsonl")).code).toBe(0);
  const text = shell.read("traces.jsonl");
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toHaveLength(11);
  expect(new Set(lines.map((line) => Object.keys(line).join())).size).toBe(1);
  const manifest = JSON.parse(shell.read("traces.jsonl.manifest.json"));
  expect(manifest).toMatchObject({
    format: "atlas-jsonl/1",
    sessions: 11,
    simulated_sessions: 0,
    file: { name: "traces.jsonl", bytes: Buffer.byteLength(text) },
  });
  expect(manifest.file.sha256).toBe(createHash("sha256").update(text).digest("hex"));
  expect(manifest.derivations.map(({ processor }: { processor: string }) => processor)).toEqual([
    "drift",
    "review",
    "session-rewards",
  ]);
  expect(manifest.log.id).toBe((await shell.json<{ logId: string }>("log", "verify")).logId);
});

test("is the same under both names, replaces what was there, and takes filters", async () => {
  await shell.json("export", "--output", "same.jsonl");
  await shell.json("export", "--output", "same.jsonl");
  await shell.run("arc-atlas", "export", "--output", "alias.jsonl");
  expect(shell.read("alias.jsonl")).toBe(shell.read("same.jsonl"));
  await shell.json("export", "--output", "few.jsonl", "--learning-key", "orders-1", "--min-reward", "0.5");
  const rewarded = Array.from({ length: 11 }, (_, index) =>
    recorded(index, index === 10 ? { reward: 1 } : {}),
  );
  const wanted = rewarded.filter(
    ({ reward, metadata }) => reward! >= 0.5 && metadata!["learning_key"] === "orders-1",
  );
  expect(shell.read("few.jsonl").trimEnd().split("\n")).toHaveLength(wanted.length);
  expect(readdirSync(shell.folder).filter((name) => name.includes("tmp"))).toEqual([]);
});

test("a folder that cannot be written ends with 1 in one line, and what was there stays", async () => {
  shell.write("taken", "");
  const blocked = await shell.run("arc-atlas", "--output", "taken/traces.jsonl");
  expect(blocked.code).toBe(1);
  expectOneLine(blocked.stderr, "ATLAS_FILE_UNWRITABLE");
  mkdirSync(shell.file("folder"));
  const isFolder = await shell.run("arc-atlas", "--output", "folder");
  expect(isFolder.code).toBe(1);
  expectOneLine(isFolder.stderr, "ATLAS_FILE_UNWRITABLE");
  expect(readdirSync(shell.file("folder"))).toEqual([]);
});

test("a folder without permission ends with 1", async ({ skip }) => {
  skip(process.getuid?.() === 0, "root may write everywhere");
  mkdirSync(shell.file("closed"));
  chmodSync(shell.file("closed"), 0o500);
  const { code, stderr } = await shell.run("arc-atlas", "--output", "closed/traces.jsonl");
  expect(code).toBe(1);
  expectOneLine(stderr, "ATLAS_FILE_UNWRITABLE");
});

test("a full disk ends with 1, and leaves the file that was there before", async ({ skip }) => {
  const unmount = smallDisk(shell.file("small"), 64);
  skip(unmount === undefined, NO_MOUNT);
  try {
    await shell.json(
      "export",
      "--output",
      "small/traces.jsonl",
      "--limit",
      "1",
      "--learning-key",
      "orders-2",
    );
    const before = shell.read("small/traces.jsonl");
    const { code, stderr } = await shell.run("arc-atlas", "--output", "small/traces.jsonl");
    expect(code).toBe(1);
    expectOneLine(stderr, "ATLAS_DISK_FULL");
    expect(shell.read("small/traces.jsonl")).toBe(before);
    expect(readdirSync(shell.file("small")).sort()).toEqual(["traces.jsonl", "traces.jsonl.manifest.json"]);
  } finally {
    unmount!();
  }
});

test("a disk that is full from the start is named as such", async ({ skip }) => {
  const ours = here();
  ours.write("runs.jsonl", tenRuns());
  const unmount = smallDisk(ours.file(".atlas"), 4096);
  skip(unmount === undefined, NO_MOUNT);
  try {
    const { code, stderr } = await ours.atlas("import", "runs.jsonl");
    expect(code).toBe(1);
    expectOneLine(stderr, "ATLAS_DISK_FULL");
  } finally {
    unmount!();
  }
  expect(existsSync(ours.file(".atlas")) && statSync(ours.file(".atlas")).isDirectory()).toBe(true);
  expect((await ours.atlas("import", "runs.jsonl")).code).toBe(0);
});
