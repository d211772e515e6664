import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LineSeries, SERIES_START } from "../../sinks/jsonl/line-series.ts";

let folder: string;
let series: LineSeries;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "atlas-series-"));
  series = new LineSeries(folder, "approved-0", 60);
});
afterEach(async () => {
  await series.close();
  rmSync(folder, { recursive: true });
});
const content = (index = 0): string => readFileSync(series.pathOf(index), "utf8");

test("whatever byte a process was killed at, the torn tail is cut and the line stands once", async () => {
  const first = await series.write(SERIES_START, '{"id":1}\n');
  const next = '{"id":2,"text":"ü"}\n';
  for (let bytes = 0; bytes <= Buffer.byteLength(next); bytes += 1) {
    await series.close();
    writeFileSync(
      series.pathOf(0),
      Buffer.concat([Buffer.from('{"id":1}\n'), Buffer.from(next).subarray(0, bytes)]),
    );
    const successor = new LineSeries(folder, "approved-0", 60);
    await successor.write(await successor.takeOver(first), next);
    await successor.close();
    expect(content()).toBe(`{"id":1}\n${next}`);
  }
});

test("a unit that was rolled back after it wrote leaves nothing behind the next one", async () => {
  const first = await series.write(SERIES_START, '{"id":1}\n');
  await series.write(first, '{"id":2,"long":"aaaaaaaaaaaaaaaaaa"}\n');
  await series.write(first, '{"id":3}\n');
  expect(content()).toBe('{"id":1}\n{"id":3}\n');
});

test("a process that was paused goes on writing to a file that nobody sees", async () => {
  const first = await series.write(SERIES_START, '{"id":1}\n');
  const successor = new LineSeries(folder, "approved-0", 60);
  const second = await successor.write(await successor.takeOver(first), '{"id":2}\n');
  await series.write(first, '{"id":"late"}\n');
  await successor.write(second, '{"id":3}\n');
  await successor.close();
  expect(content()).toBe('{"id":1}\n{"id":2}\n{"id":3}\n');
});

test("files follow one another before they grow too large, and no line is cut", async () => {
  let place = SERIES_START;
  for (let id = 0; id < 10; id += 1) place = await series.write(place, `{"id":${id},"text":"aaaaaaaaa"}\n`);
  place = await series.write(place, `{"id":10,"text":"${"b".repeat(100)}"}\n`);
  const files = readdirSync(folder).sort();
  const ids = files.flatMap((file) =>
    readFileSync(join(folder, file), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { id: number }).id),
  );
  expect(ids).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(files).toHaveLength(6);
});

test("where a file is gone or was cut, the series goes on in the next one", async () => {
  const first = await series.write(SERIES_START, '{"id":1}\n');
  rmSync(series.pathOf(0));
  await series.close();
  expect(await series.takeOver(first)).toEqual({ index: 1, bytes: 0 });
  const second = await series.write(first, '{"id":2}\n');
  expect([second.index, content(1)]).toEqual([1, '{"id":2}\n']);
  appendFileSync(series.pathOf(1), "");
});
