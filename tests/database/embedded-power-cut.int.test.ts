import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seeded } from "../soak/random.ts";
import { cutAt, firstHistory, type History, laterHistory, problemsAfter } from "./power-cut/power-cuts.ts";

/*
 * What the disk is asked to do is recorded; a folder is built as a power cut would leave it after some of that. Here a
 * sample of all moments; `node tests/soak/power-cuts.ts` takes every one.
 */
describe("an embedded log whose power is cut", () => {
  let home: string;
  let first: History;
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "atlas-power-"));
    first = await firstHistory(home);
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  const begun = (): number => first.confirmed.find(({ events }) => events === 1)?.after ?? 0;

  test("keeps every event that it confirmed, in order and whole", async () => {
    const random = seeded(1);
    const moments = [0, begun() - 400];
    for (let n = 0; n < 9; n += 1) moments.push(begun() + random.below(first.ops.length - begun()));
    expect(await problemsAfter(first, moments.map(cutAt))).toEqual([]);
  });

  test("keeps them when it is cut again while it recovers", async () => {
    const cut = cutAt(Math.floor((begun() + first.ops.length) / 2), 3);
    const later = await laterHistory(home, { first, cut });
    const moments = [0.2, 0.5, 0.9].map((part) => Math.floor(part * later.ops.length));
    expect(await problemsAfter(later, moments.map(cutAt))).toEqual([]);
  });

  test("loses some where it was told that it may: the disk of this test is no better than a real one", async () => {
    const loose = await firstHistory(join(home, "loose"), false);
    const last = loose.confirmed.at(-2)?.after ?? 0;
    const [problem] = await problemsAfter(loose, [cutAt(last, 0)]);
    expect(problem).toMatch(/of \d+ confirmed ones/);
  });
});
