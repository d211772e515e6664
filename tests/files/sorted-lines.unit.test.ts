import { readdirSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { inOrder, SortedLines, type SortOptions } from "../../files/sorted-lines.ts";
import { folderForTest } from "../app/opened.ts";

async function sorted(lines: readonly string[], options: SortOptions): Promise<string[]> {
  const sorter = new SortedLines(options);
  for (const line of lines) await sorter.add(line);
  const all: string[] = [];
  for await (const line of sorter.lines()) all.push(line);
  return all;
}

const line = fc.string({ unit: "grapheme", maxLength: 12 }).map((text) => text.replaceAll("\n", "↵"));

test("lines that do not fit into memory come as those that do, and no more are kept than may be", async () => {
  const folder = folderForTest();
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 200 }),
      fc.integer({ min: 12, max: 60 }),
      async (lines, most) => {
        let kept = 0;
        const onKept = (characters: number): void => {
          kept = Math.max(kept, characters);
        };
        expect(await sorted(lines, { folder, characters: most, onKept })).toEqual([...lines].sort());
        const longest = lines.reduce((length, line) => Math.max(length, line.length), 0);
        expect(kept).toBeLessThanOrEqual(Math.max(most, longest));
        expect(readdirSync(folder)).toEqual([]);
      },
    ),
    { numRuns: 40 },
  );
});

test("more runs than are read at a time are brought together first", async () => {
  const folder = folderForTest();
  const lines = Array.from({ length: 300 }, (_, index) => `line ${(index * 7919) % 300}`);
  const sorter = new SortedLines({ folder, characters: 10 });
  for (const each of lines) await sorter.add(each);
  const [own] = readdirSync(folder);
  expect(readdirSync(`${folder}/${own}`).length).toBeLessThanOrEqual(65);
  const found: string[] = [];
  for await (const each of sorter.lines()) found.push(each);
  expect(found).toEqual([...lines].sort());
  expect(readdirSync(folder)).toEqual([]);
});

test("who stops half-way leaves nothing on disk, and few lines never get there", async () => {
  const folder = folderForTest();
  const sorter = new SortedLines({ folder, characters: 10 });
  for (let index = 0; index < 100; index += 1) await sorter.add(`line ${index}`);
  expect(readdirSync(folder)).not.toEqual([]);
  for await (const first of sorter.lines()) {
    expect(first).toBe("line 0");
    break;
  }
  expect(readdirSync(folder)).toEqual([]);
  const small = new SortedLines({ folder });
  await small.add("b");
  await small.add("a");
  expect(readdirSync(folder)).toEqual([]);
  await small.close();
});

test("where the rest cannot go is told", async () => {
  const sorter = new SortedLines({ folder: `${folderForTest()}/absent`, characters: 1 });
  await sorter.add("a");
  await expect(sorter.add("b")).rejects.toMatchObject({
    code: "ATLAS_FILE_UNWRITABLE",
    where: expect.stringContaining("absent"),
  });
  await sorter.close();
});

test("numbers are in order as text, of whatever sign", () => {
  const numbers = [
    Number.MIN_SAFE_INTEGER,
    -11,
    -2,
    0,
    3,
    20,
    1_700_000_000_000_000,
    Number.MAX_SAFE_INTEGER,
  ];
  expect(numbers.map(inOrder).sort()).toEqual(numbers.map(inOrder));
  expect(new Set(numbers.map((number) => inOrder(number).length))).toEqual(new Set([16]));
});
