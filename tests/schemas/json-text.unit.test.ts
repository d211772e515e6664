import fc from "fast-check";
import { expect, test } from "vitest";
import { jsonText, textOf } from "../../schemas/json-text.ts";

class Point {
  x = 1;
  readonly #hidden = 2;
  sum(): number {
    return this.x + this.#hidden;
  }
}
class Secretive {
  readonly #hidden = 2;
  read(): number {
    return this.#hidden;
  }
}

const cyclic: Record<string, unknown> = { name: "a" };
cyclic["self"] = { again: cyclic };
const shared = { b: 1 };
const failed = Object.assign(new RangeError("boom", { cause: new Error("why") }), { code: 7 });
const headers = new Headers([
  ["a", "1"],
  ["b", "2"],
]);

test.each<[string, unknown, unknown]>([
  ["a map by texts", new Map([["k", new Map([["l", 1]])]]), { k: { l: 1 } }],
  [
    "a map by anything",
    new Map<unknown, unknown>([
      [1, "a"],
      [{ b: 2 }, "c"],
    ]),
    [
      [1, "a"],
      [{ b: 2 }, "c"],
    ],
  ],
  ["an empty map", new Map(), {}],
  ["a set", { kinds: new Set(["a", new Set([1])]) }, { kinds: ["a", [1]] }],
  ["a date", new Date(0), "1970-01-01T00:00:00.000Z"],
  ["no date", [new Date("x")], ["Invalid Date"]],
  ["a URL", { url: new URL("http://x/y") }, { url: "http://x/y" }],
  [
    "a query",
    new URLSearchParams("a=1&a=2"),
    [
      ["a", "1"],
      ["a", "2"],
    ],
  ],
  [
    "headers",
    { headers },
    {
      headers: [
        ["a", "1"],
        ["b", "2"],
      ],
    },
  ],
  ["a pattern", /a+/gu, "/a+/gu"],
  [
    "an error",
    failed,
    { name: "RangeError", message: "boom", code: 7, cause: { name: "Error", message: "why" } },
  ],
  ["bytes", Buffer.from("hi"), { base64: "aGk=" }],
  ["bytes of a part", new Uint8Array([0, 104, 105]).subarray(1), { base64: "aGk=" }],
  ["a buffer", new Uint8Array([104, 105]).buffer, { base64: "aGk=" }],
  ["numbers", { vector: new Float32Array([0.5, -1, Number.NaN]) }, { vector: [0.5, -1, "NaN"] }],
  ["big numbers", [new BigInt64Array([5n])], [["5"]]],
  ["a big integer", { id: 12345678901234567890n }, { id: "12345678901234567890" }],
  ["a symbol", { kind: Symbol("x"), [Symbol("y")]: 1 }, { kind: "Symbol(x)", "Symbol(y)": 1 }],
  ["an instance", new Point(), { x: 1 }],
  ["an instance that shows nothing", { a: new Secretive() }, { a: "Secretive {}" }],
  ["a promise", Promise.resolve(1), "Promise { 1 }"],
  ["a cycle", cyclic, { name: "a", self: { again: "[Circular]" } }],
  ["what stands twice", [shared, shared], [{ b: 1 }, { b: 1 }]],
  ["no numbers", [Number.NaN, Infinity, -Infinity], ["NaN", "Infinity", "-Infinity"]],
  [
    "a failure of several",
    new AggregateError([new Error("a")], "all"),
    { name: "AggregateError", message: "all", errors: [{ name: "Error", message: "a" }] },
  ],
  ["its own form", { toJSON: () => ({ a: new Set([1]) }) }, { a: [1] }],
  [
    "an instance with its own form",
    new (class {
      toJSON() {
        return new Set([1]);
      }
    })(),
    [1],
  ],
  ["no prototype", Object.assign(Object.create(null) as object, { a: 1 }), { a: 1 }],
  ["a key of its own", JSON.parse('{"__proto__": 1, "a": null}'), JSON.parse('{"__proto__": 1, "a": null}')],
  ["nothing", [undefined, null, { a: undefined }], [null, null, {}]],
])("%s is recorded legibly", (_what, value, expected) => {
  expect(JSON.parse(jsonText(value))).toEqual(expected);
});

test("a number keeps its sign, a text stays as it is, and nothing stays nothing", () => {
  expect(jsonText([-0, 0, Number.POSITIVE_INFINITY])).toBe('[-0,0,"Infinity"]');
  expect(textOf("a")).toBe("a");
  expect(textOf(undefined)).toBeNull();
  expect(textOf(new Map([["hits", 2]]))).toBe('{"hits":2}');
});

test("what throws when it is looked at, and what is too deep, costs no more than itself", () => {
  const throwing = {
    get a() {
      throw new Error("no");
    },
  };
  expect(jsonText(throwing)).toContain("a");
  let deep: unknown = 1;
  for (let level = 0; level < 100_000; level += 1) deep = [deep];
  expect(typeof jsonText(deep)).toBe("string");
});

test("what JSON holds comes back as it was", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(jsonText(value))).toEqual(value);
    }),
  );
});
