import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { rebuild } from "../../app/rebuild.ts";
import { approveAll, exportedFrom, folderForTest } from "../app/opened.ts";
import { linesOf, recorded } from "../cli/recorded.ts";
import { missing } from "../services/services.ts";
import type { RoundPlace } from "../soak/kill-rounds.ts";
import { LOGS } from "../soak/logs.ts";
import { type OpenPlace, openPlace } from "../soak/place.ts";

async function openedAt(make: () => Promise<RoundPlace>): Promise<OpenPlace> {
  const { place, remove } = await make();
  onTestFinished(remove);
  const open = await openPlace(place, true);
  onTestFinished(open.close);
  return open;
}

async function imported(open: OpenPlace): Promise<void> {
  const file = join(folderForTest(), "runs.jsonl");
  writeFileSync(file, linesOf(Array.from({ length: 24 }, (_, index) => recorded(index))));
  await open.importFile(file);
  await approveAll(open);
}

describe.each(LOGS)("on the $name log", ({ skip, make }) => {
  test.skipIf(skip)("a rebuild gives the same bytes, and computes the same derived events", async () => {
    const open = await openedAt(make);
    await imported(open);
    const before = await exportedFrom(open);
    expect(before.trimEnd().split("\n")).toHaveLength(24);
    expect(await rebuild(open)).toMatchObject({ sessions: 24 });
    expect(await exportedFrom(open)).toBe(before);
    // A reward, an assessment and an approval for each.
    const { derived } = await rebuild(open, { derived: true });
    expect(derived).toEqual({ recomputed: 72, differences: 0, explained: 0, published: 0 });
    expect(await exportedFrom(open)).toBe(before);
  });
});

test.skipIf(await missing("kafka", "postgres"))(
  "the same runs give the same bytes on every log",
  async () => {
    const exports = [];
    for (const { make } of LOGS) {
      const open = await openedAt(make);
      await imported(open);
      exports.push(await exportedFrom(open));
    }
    expect(exports[1]).toBe(exports[0]);
    expect(exports[2]).toBe(exports[0]);
  },
);
