import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteWindow } from "../../../intake/files/byte-window.ts";
import type { RowProblem, RowText } from "../../../intake/files/row-text.ts";
import { splitRows } from "../../../intake/files/split-rows.ts";

/** Splits a text whose bytes arrive a few at a time. */
async function split(content: string | Buffer, chunk = 3, limit?: number): Promise<(RowText | RowProblem)[]> {
  const bytes = Buffer.from(content);
  let given = 0;
  const window = new ByteWindow(async (into, at, length) => {
    const copied = bytes.copy(into, at, given, Math.min(given + Math.min(chunk, length), bytes.length));
    given += copied;
    return copied;
  });
  const rows: (RowText | RowProblem)[] = [];
  for await (const row of splitRows(window, limit)) rows.push(row);
  return rows;
}

const lines = (rows: readonly (RowText | RowProblem)[]) =>
  rows.map((row) => ("text" in row ? `${row.line}: ${row.text.trim()}` : `${row.line}! ${row.reason}`));

describe("JSON lines", () => {
  test("blank lines, CRLF, a byte order mark and a missing last newline", async () => {
    const text = '\uFEFF\r\n{"a":1}\r\n\n  \n{"b":\t2}\n\n{"c":"é\u2028"}';
    expect(lines(await split(text, 1))).toEqual(['2: {"a":1}', '5: {"b":\t2}', '7: {"c":"é\u2028"}']);
  });

  test("an empty file has no rows", async () => {
    expect(await split("")).toEqual([]);
    expect(await split("\uFEFF")).toEqual([]);
    expect(await split(" \n \n")).toEqual([]);
  });

  test("a line above the limit is named, and its neighbours stay", async () => {
    const text = `{"a":1}\n"${"x".repeat(50)}"\n{"b":2}\n"${"y".repeat(50)}"`;
    const reason = "it is longer than 20 bytes";
    expect(lines(await split(text, 7, 20))).toEqual([
      '1: {"a":1}',
      `2! ${reason}`,
      '3: {"b":2}',
      `4! ${reason}`,
    ]);
  });

  test("a line that is not UTF-8 is named", async () => {
    const bytes = Buffer.concat([Buffer.from("{}\n"), Buffer.of(0xff, 0xfe), Buffer.from("\n{}")]);
    expect(lines(await split(bytes))).toEqual(["1: {}", "2! it is not valid UTF-8", "3: {}"]);
  });

  test("lines may be arrays, of which the first is not taken for the file", async () => {
    expect(lines(await split('[{"a":1}]\n[{"b":2}]\n', 2))).toEqual(['1: [{"a":1}]', '2: [{"b":2}]']);
    expect(lines(await split('[{"a":1}]\n', 2))).toEqual(['1: {"a":1}']);
  });

  test("what is no JSON at all is one problem", async () => {
    expect(lines(await split("id,task\n1,hello\n2,world\n"))).toEqual(["1! the file is no JSON"]);
  });
});

describe("values over many lines", () => {
  const pretty = (value: unknown) => JSON.stringify(value, null, 2);

  test("one object, and several one after the other", async () => {
    const [one, two] = [{ a: [1, { b: "x\n}" }] }, { c: {} }].map(pretty);
    for (const chunk of [1, 7, 1000]) {
      expect(lines(await split(`\n${one}\n`, chunk))).toEqual([`2: ${one}`]);
      expect(lines(await split(`${one}\n\n${two}`, chunk))).toEqual([`1: ${one}`, `10: ${two}`]);
    }
  });

  test("one that is broken is one problem, however many lines it has", async () => {
    expect(lines(await split('{\n  "a": [1,\n  "b": {}\n}\n'))).toEqual(["1! its brackets do not match"]);
    expect(lines(await split('{\n  "a": 1,\n  "b": 2'))).toEqual(["1! it has no end"]);
  });

  test("lines of which the first is broken stay lines", async () => {
    expect(lines(await split('{"a": [1}\n{"b": 2}\n'))).toEqual(['1: {"a": [1}', '2: {"b": 2}']);
  });
});

describe("a JSON array", () => {
  test("on one line, over several, and with brackets and quotes in its strings", async () => {
    const text = '\n[{"a":"]}\\"[{\\\\"},{"b":[{}]}\n,\n  {\n "c": 1 }, 5, "x", null]\n\n';
    expect(lines(await split(text, 1))).toEqual([
      '2: {"a":"]}\\"[{\\\\"}',
      '2: {"b":[{}]}',
      '4: {\n "c": 1 }',
      "5: 5",
      '5: "x"',
      "5: null",
    ]);
  });

  test("empty", async () => {
    expect(await split("[]")).toEqual([]);
    expect(await split("[\n]\n")).toEqual([]);
  });

  test.each([
    ["an unfinished string", '[\n{"a": "x},\n{"b": 1}\n]', ["2! a line ends inside a string", '3: {"b": 1}']],
    ["a missing bracket", '[\n{"a": [1},\n{"b": 1}\n]', ["2! its brackets do not match", '3: {"b": 1}']],
    ["a missing end", '[\n{"a": [1],\n{"b": 1}\n]', ["2! its brackets do not match", '3: {"b": 1}']],
    [
      "a missing end in the last row",
      '[\n{"a": 1},\n{"b": 1',
      ['2: {"a": 1}', "3! it has no end; the rows after it could not be told apart"],
    ],
    [
      "pretty printed",
      '[\n  {\n    "a": "x\n  },\n  {\n    "b": {\n  "c": 1 }\n  }\n]',
      ["2! a line ends inside a string", '5: {\n    "b": {\n  "c": 1 }\n  }'],
    ],
    [
      "all on one line",
      '[{"a": [1}, {"b": 1}]',
      ["1! its brackets do not match; the rows after it could not be told apart"],
    ],
    ["no end", '[\n{"a": 1},', ['2: {"a": 1}', "2! the array is not closed"]],
    [
      "more after its end",
      '[\n{"a": 1}]\n\n{"b": 1}',
      ['2: {"a": 1}', "4! there is more after the end of the array"],
    ],
    ["stray brackets", "[}, {}]", ["1: }", "1: {}"]],
    ["a backslash at the end", '["\\', ["1! it has no end; the rows after it could not be told apart"]],
  ])("%s", async (_name, text, found) => {
    for (const chunk of [1, 2, 1000]) expect(lines(await split(text, chunk))).toEqual(found);
  });

  test("a row above the limit is named, and its neighbours stay", async () => {
    const text = `[\n{"a":1},\n{"x":"${"x".repeat(50)}"},\n{"b":2}\n]`;
    expect(lines(await split(text, 7, 20))).toEqual([
      '2: {"a":1}',
      "3! it has no end within 20 bytes",
      '4: {"b":2}',
    ]);
  });
});

const json = fc.json({ stringUnit: "binary" }).filter((text) => text.startsWith("{"));

test("any rows come out as they went in, wherever their bytes were cut", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(json),
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom(undefined, 1),
      async (rows, chunk, indent) => {
        const values = rows.map((row) => JSON.parse(row) as unknown);
        const asLines = (await split(rows.join("\n"), chunk)) as RowText[];
        expect(asLines.map(({ text }) => text)).toEqual(rows);
        expect(asLines.map(({ line }) => line)).toEqual(rows.map((_, index) => index + 1));
        const array = JSON.stringify(values, null, indent);
        const asArray = (await split(array, chunk)) as RowText[];
        expect(asArray.map(({ text }) => JSON.parse(text) as unknown)).toEqual(values);
        for (const { line, text } of asArray) {
          expect(
            array
              .split("\n")
              .slice(line - 1)
              .join("\n"),
          ).toContain(text);
        }
      },
    ),
  );
});

test("whatever the bytes are, splitting ends, and no byte is read twice as a row", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom("[", "]", "{", "}", '"', "\\", ",", "\n", " ", "a", "1"), { maxLength: 60 }),
      fc.integer({ min: 1, max: 5 }),
      async (parts, chunk) => {
        const text = `[\n${parts.join("")}`;
        const rows = await split(text, chunk);
        const total = rows.reduce((sum, row) => sum + ("text" in row ? row.text.length : 0), 0);
        expect(total).toBeLessThanOrEqual(text.length);
        expect(rows.every(({ line }) => line >= 1 && line <= text.split("\n").length)).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});

describe("recorded event streams", () => {
  test("each event's data is a row; comments, names and the mark at the end are none", async () => {
    const text = ': hello\n\nevent: start\ndata: {"a":1}\n\nid: 2\ndata:{"b":2}\r\n\r\ndata: [DONE]\n\n';
    expect(lines(await split(text, 1))).toEqual(['4: {"a":1}', '7: {"b":2}']);
    expect(lines(await split('data: {"a":1}\n\ndata: [DONE]'))).toEqual(['1: {"a":1}']);
  });

  test("data over several lines is one row", async () => {
    expect(lines(await split('data: {"a":\ndata: 1}\n\ndata: {"b":2}\n'))).toEqual([
      '1: {"a":\n1}',
      '4: {"b":2}',
    ]);
  });

  test("an event that is cut off does not take others with it", async () => {
    const text = 'data: {"a":1}\n\ndata: {"b":\n\ndata: {"c":3}\n\nwhat is this\n\ndata: {"d"';
    expect(lines(await split(text))).toEqual([
      '1: {"a":1}',
      '3: {"b":',
      '5: {"c":3}',
      "7! it is no line of an event stream",
      '9: {"d"',
    ]);
  });

  test("other texts with colons are no streams", async () => {
    for (const text of ["id: 7\nname: x\n", "data:\n  - a\n", "event:\n  a: b\n"])
      expect(lines(await split(text))).toEqual(["1! the file is no JSON"]);
  });
});
