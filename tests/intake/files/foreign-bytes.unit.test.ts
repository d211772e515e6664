import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodingOf, HEAD_BYTES } from "../../../intake/files/foreign-bytes.ts";

const head = (bytes: Buffer) => encodingOf(bytes.subarray(0, HEAD_BYTES));
const utf16be = (text: string) => Buffer.from(text, "utf16le").swap16();

describe("how a file is encoded, by its first bytes", () => {
  test.each([
    ["UTF-8", Buffer.from('{"a":1}'), "text"],
    ["UTF-8 with its mark", Buffer.from('\uFEFF{"a":1}'), "text"],
    ["nothing at all", Buffer.alloc(0), "text"],
    ["a single byte", Buffer.from("{"), "text"],
    ["gzip", Buffer.from("1f8b0800", "hex"), "gzip"],
    ["zip", Buffer.from("504b03041400", "hex"), "zip"],
    ["an empty zip", Buffer.from("504b050600000000", "hex"), "zip"],
    ["Zstandard", Buffer.from("28b52ffd", "hex"), "zstd"],
    ["UTF-16, little end first, with its mark", Buffer.from('\uFEFF{"a":1}', "utf16le"), "utf-16le"],
    ["UTF-16, big end first, with its mark", utf16be('\uFEFF{"a":1}'), "utf-16be"],
    ["UTF-16, little end first", Buffer.from('{"a":1}', "utf16le"), "utf-16le"],
    ["UTF-16, big end first", utf16be('{"a":1}'), "utf-16be"],
    ["UTF-16 that begins with a new line", Buffer.from('\r\n{"a":1}', "utf16le"), "utf-16le"],
    ["UTF-16, big end first, that begins with a space", utf16be(' {"a":1}'), "utf-16be"],
    ["UTF-16 of an array over many lines", Buffer.from("[\n", "utf16le"), "utf-16le"],
  ])("%s", (_, bytes, encoding) => {
    expect(head(bytes)).toEqual({ encoding });
  });

  test.each([
    ["Parquet", Buffer.from("PAR1\x15\x04"), "Parquet"],
    ["bzip2", Buffer.from("BZh91AY&SY"), "bzip2"],
    ["xz", Buffer.from("fd377a585a000004", "hex"), "xz"],
    ["SQLite", Buffer.from("SQLite format 3\0"), "SQLite"],
    ["Arrow", Buffer.from("ARROW1\0\0"), "Arrow"],
    ["PDF", Buffer.from("%PDF-1.7"), "PDF"],
    ["7z", Buffer.from("377abcaf271c", "hex"), "7-Zip"],
    ["UTF-32", Buffer.from("fffe00007b000000", "hex"), "UTF-32"],
    ["LZ4", Buffer.from("04224d18", "hex"), "LZ4"],
  ])("%s is told by its name", (_, bytes, name) => {
    expect(head(bytes)).toEqual({ reason: expect.stringContaining(name) });
  });

  test("no text in UTF-8 that can be JSON is taken for anything else", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(head(Buffer.from(text))).toEqual({ encoding: "text" });
      }),
    );
  });

  test("any JSON in UTF-16 is found without its mark", () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom("", " ", "\n", "\t"), (text, gap) => {
        fc.pre(text.length > 1);
        expect(head(Buffer.from(`${gap}${text}`, "utf16le"))).toEqual({ encoding: "utf-16le" });
        expect(head(utf16be(`${gap}${text}`))).toEqual({ encoding: "utf-16be" });
      }),
    );
  });
});
