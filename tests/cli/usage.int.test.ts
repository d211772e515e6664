import { expect, test } from "vitest";
import { here } from "./here.ts";
import { expectOneLine } from "./one-line.ts";

test.each([
  ["an unknown command", ["frobnicate"]],
  ["an unknown flag", ["sessions", "list", "--frobnicate"]],
  ["a missing argument", ["import"]],
  ["a missing flag", ["export"]],
  ["a number that is none", ["sessions", "list", "--limit", "many"]],
  ["a time that is none", ["import", "x.jsonl", "--at", "yesterday"]],
  ["a review status that is none", ["export", "--output", "x.jsonl", "--include-status", "nice"]],
  ["a port that is none", ["worker", "--port", "99999"]],
  ["ids and --all at once", ["review", "approve", "1", "--all"]],
  ["nothing to approve", ["review", "approve"]],
])("%s ends with 2 and says what is wrong", async (_, args) => {
  const { code, stdout, stderr } = await here().atlas(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).not.toBe("");
  expect(stderr).not.toMatch(/\bat .*\.js:\d+/);
});

test("a wrong configuration ends with 2 and names file, line and column", async () => {
  const shell = here();
  shell.write("atlas.yaml", "log:\n  kind: embedded\n  folder: .atlas\n");
  const { code, stderr } = await shell.atlas("sessions", "list", "--config", "atlas.yaml");
  expect(code).toBe(2);
  expectOneLine(stderr, "ATLAS_CONFIG_INVALID");
  expect(stderr).toContain("atlas.yaml:3:3");
});

test("a missing configuration ends with 2", async () => {
  const { code, stderr } = await here().atlas("sessions", "list", "--config", "none.yaml");
  expect(code).toBe(2);
  expectOneLine(stderr, "ATLAS_CONFIG_NOT_FOUND");
});

test("a database that does not answer ends with 1, in one line without the password", async () => {
  const url = "postgresql://ada:secret@127.0.0.1:9/atlas";
  const { code, stderr } = await here().atlas("sessions", "list", "--database-url", url);
  expect(code).toBe(1);
  expectOneLine(stderr, "ATLAS_DATABASE_UNREACHABLE");
  expect(stderr).not.toContain("secret");
});
