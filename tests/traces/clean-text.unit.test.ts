import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cleanText, jsonValue } from "../../traces/clean-text.ts";

describe("clean text", () => {
  it("is the value itself where there is nothing to clean", () => {
    const value = { a: ["b", { c: "d" }], e: 1, f: null, g: Buffer.from("\0") };
    expect(cleanText(value)).toBe(value);
  });

  it("replaces NUL and halves of pairs in strings and keys", () => {
    expect(cleanText({ a: ["b\0"], "k\ud800": "\udc00" })).toEqual({ a: ["b\ufffd"], "k\ufffd": "\ufffd" });
  });

  it("leaves nothing that Postgres refuses, and keeps keys such as __proto__ keys", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const text = JSON.stringify(cleanText(value));
        expect(text).not.toMatch(/\\u0000|\\ud[89a-f]/i);
      }),
    );
    const parsed = jsonValue('{"__proto__":{"a":"\\u0000"}}') as object;
    expect(Object.hasOwn(parsed, "__proto__")).toBe(true);
    expect(JSON.stringify(parsed)).toBe('{"__proto__":{"a":"\ufffd"}}');
  });
});

describe("JSON text", () => {
  it("has the value that it says", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.stringify(jsonValue(text))).toBe(JSON.stringify(cleanText(JSON.parse(text))));
      }),
    );
  });

  it("has none where it is no JSON, absent, or too deep to walk", () => {
    for (const text of ["", "{", "nothing", null, undefined, "[".repeat(100_000) + "]".repeat(100_000)]) {
      expect(jsonValue(text)).toBeUndefined();
    }
    expect(jsonValue(`"${"[".repeat(100_000)}\\"${"{".repeat(100)}"`)).toHaveLength(100_101);
    expect(jsonValue("[".repeat(500) + "]".repeat(500))).toBeDefined();
  });
});
