import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contentHash, numberOf, parseExact } from "../../intake/exact-json.ts";

describe("numbers that JavaScript cannot hold", () => {
  test.each([
    "12345678901234567890",
    "0.1234567890123456789",
    "-9007199254740993",
    "1e400",
    "[1,12345678901234567890,2]",
    '{"id":12345678901234567890,"n":0.5}',
  ])("%s is written with all its digits", (text) => {
    expect(JSON.stringify(parseExact(text))).toBe(text);
  });

  test("those that it can hold are numbers", () => {
    expect(parseExact("[9007199254740991, 0.1, 1e21, 1.50, -0, 100000000000000000000]")).toMatchObject([
      9007199254740991, 0.1, 1e21, 1.5, -0, 1e20,
    ]);
  });

  test("they are told apart from texts and objects that look like them", () => {
    const text = '{"a":"12345678901234567890","b":{"rawJSON":"1"},"c":12345678901234567890}';
    const { a, b, c } = parseExact(text) as Record<string, unknown>;
    expect(a).toBe("12345678901234567890");
    expect(numberOf(b)).toBeUndefined();
    expect(numberOf(c)).toBe(12345678901234567000);
    expect(numberOf("5")).toBeUndefined();
    expect(numberOf(5)).toBe(5);
  });

  test("whatever can be parsed comes out the same, and what cannot throws the same", () => {
    fc.assert(
      fc.property(fc.oneof(fc.json({ stringUnit: "binary" }), fc.string()), (text) => {
        const parse = (as: (text: string) => unknown) => {
          try {
            return JSON.stringify(as(text));
          } catch (error) {
            return (error as Error).name;
          }
        };
        const exact = parse(parseExact);
        if (exact !== "SyntaxError") expect(JSON.parse(exact!)).toEqual(JSON.parse(text));
        else expect(parse(JSON.parse)).toBe("SyntaxError");
      }),
    );
  });
});

describe("the hash of a content", () => {
  const hash = (text: string) => contentHash(parseExact(text));

  test("white space and the order of keys do not count", () => {
    expect(hash('{"a":1,"b":[{"c":2,"d":3}]}')).toBe(hash('{ "b": [{"d":3, "c":2}],\n"a":1 }'));
    expect(hash("{}")).toMatch(/^[0-9a-f]{64}$/);
  });

  test("order in lists, types and every digit count", () => {
    const texts = ["[1,2]", "[2,1]", '["1",2]', "[null]", "[]", "{}", '""'];
    const digits = [
      "12345678901234567890",
      "12345678901234567891",
      '"12345678901234567890"',
      "12345678901234567000",
    ];
    const hashes = [...texts, ...digits, '{"digits":"12345678901234567890"}'].map(hash);
    // An object of ours cannot be told from the digits of a number; all others differ.
    expect(new Set(hashes.slice(0, -1)).size).toBe(hashes.length - 1);
  });
});
