import { describe, expect, it } from "vitest";
import { fingerprint } from "../../schemas/fingerprint.ts";
import { RELEASED_SCHEMAS } from "../../schemas/generated/released.ts";

const inner = { type: "record", name: "Inner", fields: [{ name: "a", type: "int" }] };
const schema = {
  type: "record",
  name: "Outer",
  namespace: "atlas.events",
  fields: [
    { name: "first", type: inner },
    { name: "second", type: ["null", "Inner"], default: null },
    { name: "text", type: { type: "string", logicalType: "json" }, default: "" },
  ],
};
const changed = (change: (copy: typeof schema) => unknown): string => {
  const copy = structuredClone(schema);
  change(copy);
  return fingerprint(copy);
};

describe("fingerprint", () => {
  it("is the same however a registry writes the schema down", () => {
    const rewritten = {
      doc: "Documented elsewhere.",
      fields: [
        { type: { ...inner, namespace: "atlas.events", doc: "x" }, name: "first", doc: "y" },
        { default: null, name: "second", type: [{ type: "null" }, "atlas.events.Inner"] },
        { name: "text", default: "", type: { logicalType: "json", type: "string" } },
      ],
      name: "atlas.events.Outer",
      type: "record",
    };
    expect(fingerprint(rewritten)).toBe(fingerprint(schema));
    expect(fingerprint(schema)).toMatch(/^[0-9a-f]{16}$/);
  });

  it("is another for what a reader could notice", () => {
    const all = [
      fingerprint(schema),
      changed((copy) => Object.assign(copy, { name: "Other" })),
      changed((copy) => Object.assign(copy.fields[0]!, { name: "zeroth" })),
      changed((copy) => Object.assign(copy.fields[2]!, { default: "x" })),
      changed((copy) => Object.assign(copy.fields[2]!, { type: "string" })),
      changed((copy) => copy.fields.reverse()),
      changed((copy) => copy.fields.pop()),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it("names every released schema apart", () => {
    const all = RELEASED_SCHEMAS.map((released) => fingerprint(JSON.parse(released.schema)));
    expect(new Set(all).size).toBe(all.length);
    expect(all).toEqual(RELEASED_SCHEMAS.map((released) => released.fingerprint));
  });
});
