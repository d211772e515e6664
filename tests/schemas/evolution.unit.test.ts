import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AvroField, AvroRecord } from "../../schemas/avro.ts";
import * as today from "../../schemas/codec.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { leastEvent } from "./arbitrary-events.ts";

const ROOT = join(import.meta.dirname, "..", "..");

/** A copy of this repository's schemas, with the tools that work on them. */
let copy: string;
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "atlas-evolution-"));
  for (const name of ["schemas", "errors", "package.json"]) {
    cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"), "dir");
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

function tool(name: string): { code: number; output: string } {
  try {
    const output = execFileSync(process.execPath, [join(copy, "schemas", "tools", name)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    return { code: 0, output };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    return { code: status, output: stdout + stderr };
  }
}

function change(path: string, edit: (record: AvroRecord) => void): void {
  const file = join(copy, "schemas", path);
  const record = JSON.parse(readFileSync(file, "utf8")) as AvroRecord;
  edit(record);
  writeFileSync(file, JSON.stringify(record, null, 2));
}

const addField =
  (field: AvroField) =>
  (record: AvroRecord): void =>
    void record.fields.push(field);

describe("a schema that moves on", () => {
  it("has to be released, and is then read with its earlier versions", async () => {
    const erased: AtlasEvent = { ...leastEvent("SessionErased"), type: "SessionErased" } as AtlasEvent;
    const old = today.encodeEvent(erased);
    change("events/SessionErased.avsc", addField({ name: "scope", type: "string", default: "everything" }));
    change("shared/Meta.avsc", addField({ name: "host", type: ["null", "string"], default: null }));

    expect(tool("check-schemas.ts")).toMatchObject({
      code: 1,
      output: expect.stringContaining("SessionErased: differs from its latest released version"),
    });
    expect(tool("release-schemas.ts").output).toContain("released SessionErased.v2.avsc");
    expect(tool("generate-types.ts")).toEqual({ code: 0, output: "" });
    expect(tool("check-schemas.ts")).toMatchObject({ code: 0 });

    const next = (await import(pathToFileURL(join(copy, "schemas", "codec.ts")).href)) as typeof today;
    const read = next.decodeEvent(old.fingerprint, old.body);
    expect(read).toMatchObject({ type: "SessionErased", scope: "everything", meta: { host: null } });
    expect(read).toMatchObject({ meta: { event_id: erased.meta.event_id } });

    const written = next.encodeEvent({ ...read, scope: "steps" } as AtlasEvent);
    expect(written.fingerprint).not.toBe(old.fingerprint);
    expect(next.decodeEvent(written.fingerprint, written.body)).toMatchObject({ scope: "steps" });
    expect(() => today.decodeEvent(written.fingerprint, written.body)).toThrow(
      expect.objectContaining({ code: "ATLAS_SCHEMA_NEWER" }),
    );
  });

  it("is not released when it breaks an earlier version", () => {
    change("events/StepSkipped.avsc", addField({ name: "needed", type: "int" }));
    expect(tool("release-schemas.ts")).toMatchObject({
      code: 1,
      output: expect.stringContaining("StepSkipped: cannot read what version 1 wrote"),
    });
    expect(existsSync(join(copy, "schemas", "released", "StepSkipped.v3.avsc"))).toBe(false);
  });

  it("is not edited once it is released", () => {
    const file = join(copy, "schemas", "released", "SessionErased.v1.avsc");
    writeFileSync(file, `${readFileSync(file, "utf8")} `);
    expect(tool("check-schemas.ts")).toMatchObject({
      code: 1,
      output: expect.stringContaining("SessionErased: SessionErased.v1.avsc was edited after its release"),
    });
  });
});
