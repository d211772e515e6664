import { cpSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AvroField, AvroRecord } from "../../schemas/avro.ts";
import { checkRules } from "../../schemas/compatibility-rules.ts";
import { assembleAll } from "../../schemas/tools/assemble.ts";
import { checkSchemas } from "../../schemas/tools/check-schemas.ts";
import { staleFiles } from "../../schemas/tools/generate-types.ts";
import { CHECKSUMS, RELEASED, sha256 } from "../../schemas/tools/released.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "atlas-schemas-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const eventOf = (...fields: AvroField[]): AvroRecord => ({
  type: "record",
  name: "Sample",
  namespace: "atlas.events",
  fields: [{ name: "kept", type: "string" }, ...fields],
});

/** Releases these versions of one event into the folder. */
function release(...versions: AvroRecord[]): void {
  const checksums: Record<string, string> = {};
  versions.forEach((schema, index) => {
    const file = `Sample.v${index + 1}.avsc`;
    const text = JSON.stringify(schema);
    writeFileSync(join(folder, file), text);
    checksums[file] = sha256(text);
  });
  writeFileSync(join(folder, CHECKSUMS), JSON.stringify(checksums));
}

const problemsOf = (schema: AvroRecord): string[] =>
  checkSchemas(new Map([["Sample", schema]]), folder).map(({ problem }) => problem);

describe("generated files", () => {
  it("say what the schemas say", () => {
    expect(staleFiles()).toEqual([]);
  });
});

describe("checkSchemas", () => {
  it("finds nothing wrong with the released schemas", () => {
    expect(checkSchemas()).toEqual([]);
  });

  it("notices that a released schema was edited, even in a comment", () => {
    cpSync(RELEASED, folder, { recursive: true });
    const path = join(folder, "SessionEnded.v1.avsc");
    writeFileSync(path, readFileSync(path, "utf8").replace("A session ended.", "A session is over."));
    expect(checkSchemas(assembleAll(), folder)).toEqual([
      { schema: "SessionEnded", problem: "SessionEnded.v1.avsc was edited after its release" },
    ]);
  });

  it("notices that a released schema is gone, or was never recorded", () => {
    cpSync(RELEASED, folder, { recursive: true });
    unlinkSync(join(folder, "SessionEnded.v1.avsc"));
    expect(checkSchemas(assembleAll(), folder).map(({ problem }) => problem)).toContain(
      "SessionEnded.v1.avsc was released and is gone",
    );
    writeFileSync(join(folder, "Stray.v1.avsc"), JSON.stringify({ ...eventOf(), name: "Stray" }));
    expect(checkSchemas(assembleAll(), folder).map(({ problem }) => problem)).toEqual(
      expect.arrayContaining([
        "Stray.v1.avsc was edited after its release",
        "was released and has no schema in schemas/events",
      ]),
    );
  });

  it("accepts a field with a default, added or removed", () => {
    const added = eventOf({ name: "added", type: ["null", "string"], default: null });
    release(eventOf(), added, eventOf());
    expect(problemsOf(eventOf())).toEqual([]);
  });

  it("wants a changed schema to be released", () => {
    release(eventOf());
    expect(problemsOf(eventOf({ name: "added", type: "int", default: 0 }))).toEqual([
      expect.stringContaining("differs from its latest released version"),
    ]);
  });

  it.each([
    ["a field without a default is added", eventOf(), eventOf({ name: "added", type: "int" })],
    ["a field without a default is removed", eventOf({ name: "gone", type: "int" }), eventOf()],
    [
      "a type is widened",
      eventOf({ name: "n", type: "int", default: 0 }),
      eventOf({ name: "n", type: "long", default: 0 }),
    ],
    [
      "a field becomes nullable",
      eventOf({ name: "n", type: "int", default: 0 }),
      eventOf({ name: "n", type: ["null", "int"], default: null }),
    ],
  ])("notices that %s", (_, before, after) => {
    release(before);
    expect(problemsOf(after)).toEqual(
      expect.arrayContaining([expect.stringMatching(/cannot read what (version 1 wrote|it writes): /)]),
    );
  });

  it("notices a break with any earlier version, not only the latest", () => {
    const first = eventOf({ name: "extra", type: "int", default: 0 });
    const second = eventOf();
    const third = eventOf({ name: "extra", type: "string", default: "" });
    release(second);
    expect(problemsOf(third)).toEqual([expect.stringContaining("differs from its latest released version")]);
    release(first, second);
    const problems = problemsOf(third);
    expect(problems).toContainEqual(expect.stringMatching(/^cannot read what version 1 wrote: /));
    expect(problems).toContainEqual(expect.stringMatching(/^version 1 cannot read what it writes: /));
    expect(problems.some((problem) => problem.includes("version 2"))).toBe(false);
  });

  it("notices a break between two versions that were released already", () => {
    const text = eventOf({ name: "extra", type: "string", default: "" });
    release(eventOf({ name: "extra", type: "int", default: 0 }), eventOf(), text);
    expect(checkSchemas(new Map([["Sample", text]]), folder)).toContainEqual({
      schema: "Sample version 3",
      problem: expect.stringMatching(/^cannot read what version 1 wrote: /),
    });
  });
});

describe("checkRules", () => {
  const problems = (field: AvroField) => checkRules("Sample", eventOf(field)).map(({ problem }) => problem);

  it("refuses what could never be changed again", () => {
    const values = { type: "enum", name: "Colour", symbols: ["red"] } as never;
    expect(problems({ name: "colour", type: values })).toEqual(["Sample.colour is an enum"]);
    expect(problems({ name: "any", type: ["null", "int", "string"], default: null })).toEqual([
      "Sample.any is a union other than [null, X]",
    ]);
    expect(problems({ name: "any", type: ["int", "null"], default: null })).toEqual([
      "Sample.any is a union other than [null, X]",
    ]);
    expect(problems({ name: "maybe", type: ["null", "int"] })).toEqual([
      "Sample.maybe is nullable but does not default to null",
    ]);
  });

  it("looks into lists and nested records", () => {
    const nested = eventOf({ name: "maybe", type: ["null", "int"] });
    expect(problems({ name: "list", type: { type: "array", items: nested } })).toEqual([
      "Sample.list[].maybe is nullable but does not default to null",
    ]);
    expect(problems({ name: "one", type: ["null", nested], default: null })).toEqual([
      "Sample.one.maybe is nullable but does not default to null",
    ]);
  });
});
