import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromHermes, splitResults } from "../../../intake/chat/hermes.ts";
import { withMedia } from "../../../intake/chat/media-marks.ts";
import { parseLiteral } from "../../../intake/chat/python-literal.ts";

/** As Python prints a structure. */
function python(value: unknown): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string")
    return value.includes("'") && !value.includes('"') ? `"${value}"` : `'${value.replaceAll("'", "\\'")}'`;
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value === "object")
    return `{${Object.entries(value)
      .map(([key, inner]) => `${python(key)}: ${python(inner)}`)
      .join(", ")}}`;
  return String(value);
}

const word = fc.string({ unit: fc.constantFrom("a", " ", "'", '"', ",", "é", "True") });
const { structure } = fc.letrec((tie) => ({
  structure: fc.oneof(
    { maxDepth: 3 },
    word,
    fc.integer(),
    fc.constantFrom(null, true, false),
    fc.array(tie("structure"), { maxLength: 3 }),
    fc.dictionary(word, tie("structure"), { maxKeys: 3 }),
  ),
}));

describe("what Python prints", () => {
  test("is read as what it was", () => {
    fc.assert(
      fc.property(structure, (value) => {
        expect(parseLiteral(python(value))).toEqual(value);
      }),
    );
  });

  test("JSON is read as JSON, and anything else is nothing", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseLiteral(text)).toEqual(JSON.parse(text));
      }),
    );
    for (const text of ["", "soon", "{'a': b}", "{'a'", "f(x)"]) expect(parseLiteral(text)).toBeUndefined();
  });
});

describe("calls in tags", () => {
  const said = (content: string) => ({ role: "assistant" as const, content });

  test("one that cannot be read leaves the whole text as it is", () => {
    const good = '<tool_call>{"name":"now","arguments":{}}</tool_call>';
    for (const content of ["plain", `${good}<tool_call>now()</tool_call>`, "<tool_call>{}</tool_call>"])
      expect(fromHermes(said(content))).toEqual([said(content)]);
    expect(fromHermes(said(good))).toEqual([
      {
        role: "assistant",
        content: null,
        tool_calls: [{ type: "function", function: { name: "now", arguments: "{}" } }],
      },
    ]);
  });

  test("a list that is not as long as the calls is one result", () => {
    const calls = [1, 2].map((id) => ({ id: String(id), function: { name: "f", arguments: "{}" } }));
    const asked = { role: "assistant" as const, content: null, tool_calls: calls };
    const result = (content: string) => ({ role: "tool" as const, content });
    expect(splitResults([asked, result('["a"]')])).toEqual([asked, result('["a"]')]);
    expect(splitResults([asked, result('["a","b"]')])).toEqual([asked, result("a"), result("b")]);
    expect(splitResults([asked, result('["a","b"]'), result("c")])).toHaveLength(3);
  });
});

test("media and marks that are not as many stay apart", () => {
  const messages = [{ role: "user" as const, content: "<image> and <image>" }];
  expect(withMedia(messages, { "<image>": ["a"] })).toBeUndefined();
  expect(withMedia(messages, { "<image>": ["a", "b"] })![0]!.content).toEqual([
    { type: "image_url", image_url: { url: "a" } },
    { type: "text", text: " and " },
    { type: "image_url", image_url: { url: "b" } },
  ]);
});
