import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Fill } from "../../../intake/files/byte-window.ts";
import { openBytes } from "../../../intake/files/open-bytes.ts";
import { readRecordings } from "../../../intake/import/read-recordings.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "atlas-bytes-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function written(bytes: Uint8Array | string): Promise<string> {
  const path = join(folder, "file.jsonl");
  await writeFile(path, bytes);
  return path;
}

/** What a file of these bytes is read as, a few bytes at a time. */
async function opened(bytes: Uint8Array): Promise<string> {
  await using handle = await open(await written(bytes));
  const fill: Fill = async (into, at, length) => (await handle.read(into, at, length, null)).bytesRead;
  const found = await openBytes(fill);
  if ("reason" in found) return found.reason;
  if ("archive" in found) return found.archive;
  const chunk = Buffer.alloc(7);
  const chunks: Buffer[] = [];
  for (;;) {
    const read = await found.fill(chunk, 0, chunk.length);
    if (read === 0) return Buffer.concat(chunks).toString("utf8");
    chunks.push(Buffer.from(chunk.subarray(0, read)));
  }
}

const row = (task: string) =>
  JSON.stringify({
    messages: [
      { role: "user", content: task },
      { role: "assistant", content: "ok" },
    ],
  });
const TEXT = `${row("Grüße 🎈")}\r\n\r\n${row("zwei")}`;
const utf16be = (text: string) => Buffer.from(text, "utf16le").swap16();

describe("files are read whatever they are encoded in", () => {
  test.each([
    ["UTF-8", Buffer.from(TEXT)],
    ["gzip", gzipSync(TEXT)],
    ["gzip in two members", Buffer.concat([gzipSync(TEXT.slice(0, 30)), gzipSync(TEXT.slice(30))])],
    ["Zstandard", zstdCompressSync(TEXT)],
    ["UTF-16, little end first", Buffer.from(TEXT, "utf16le")],
    ["UTF-16, big end first", utf16be(TEXT)],
    ["UTF-16, little end first, with its mark", Buffer.from(`\uFEFF${TEXT}`, "utf16le")],
    ["UTF-16, big end first, with its mark", utf16be(`\uFEFF${TEXT}`)],
  ])("%s", async (_, bytes) => {
    expect(await opened(bytes)).toBe(TEXT);
  });

  test("compressed UTF-16 is both", async () => {
    expect(await opened(gzipSync(Buffer.from(TEXT, "utf16le")))).toBe(TEXT);
  });

  test("what is packed again and again is left to whoever packed it", async () => {
    expect(await opened(gzipSync(zstdCompressSync(gzipSync(TEXT))))).toBe(TEXT);
    const bytes = gzipSync(gzipSync(gzipSync(gzipSync(TEXT))));
    expect(await opened(bytes)).toBe("it is compressed more than 3 times; unpack it first");
  });

  test("an archive that was compressed is told for what it is", async () => {
    expect(await opened(gzipSync(Buffer.from("504b03041400000008000000", "hex")))).toContain("zip archive");
  });
});

/** What the recordings in these bytes come to, one line each. */
async function recorded(bytes: Uint8Array | string): Promise<string[]> {
  const lines: string[] = [];
  for await (const each of readRecordings(await written(bytes))) {
    if ("found" in each) lines.push(`found at ${each.found.line}`);
    else if ("problem" in each) lines.push(`${each.problem.line}! ${each.problem.reason}`);
    else lines.push(`${each.note.line}? ${each.note.reason}`);
  }
  return lines;
}

describe("what cannot be read is one sentence", () => {
  test("lines that end as on Windows count as lines", async () => {
    expect(await recorded(TEXT)).toEqual(["found at 1", "found at 3"]);
  });

  test.each([
    ["empty", ""],
    ["blank", " \n\n"],
    ["a byte order mark alone", "\uFEFF"],
    ["empty, compressed", gzipSync("")],
  ])("%s", async (_, bytes) => {
    expect(await recorded(bytes)).toEqual(["1? the file is empty"]);
  });

  test("Windows' own code page, on the line where it is", async () => {
    const bytes = Buffer.concat([Buffer.from(`${row("eins")}\n`), Buffer.from(row("Grüße"), "latin1")]);
    expect(await recorded(bytes)).toEqual(["found at 1", "2! it is not valid UTF-8"]);
  });

  test.each([
    ["a Parquet file", Buffer.from("PAR1 and what follows")],
    ["an SQLite database", Buffer.from("SQLite format 3\0 and its pages")],
    ["a damaged zip archive", Buffer.from("504b030414000000", "hex")],
    ["bzip2", Buffer.from("BZh91AY&SY and more")],
  ])("%s", async (what, bytes) => {
    expect(await recorded(bytes)).toEqual([expect.stringMatching(new RegExp(`^1! it is .*${what}`))]);
  });

  test.each([
    ["gzip", gzipSync(TEXT)],
    ["Zstandard", zstdCompressSync(TEXT)],
  ])("cut off %s", async (_, bytes) => {
    await expect(recorded(bytes.subarray(0, bytes.length - 12))).rejects.toMatchObject({
      code: "ATLAS_FILE_UNREADABLE",
    });
  });

  test("gzip whose middle is damaged", async () => {
    const bytes = gzipSync(TEXT.repeat(50));
    bytes.fill(0, 40, 60);
    await expect(recorded(bytes)).rejects.toMatchObject({ code: "ATLAS_FILE_UNREADABLE" });
  });
});
