import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { decisionsOn } from "../../app/api/reviews.ts";
import type { Atlas } from "../../app/open-atlas.ts";
import { checkedExport, type ExportFlags } from "../../cli/export-flags.ts";
import type { ConfigInput } from "../../configs/config-schema.ts";
import { listSessions } from "../../projections/session-summaries.ts";
import { folderForTest, opened } from "../app/opened.ts";
import { upTo } from "../sinks/datasets/filled.ts";
import { atlas as command, userFolder } from "./from-source.ts";
import { linesOf, recorded } from "./recorded.ts";

interface Line {
  session_metadata: { session_id: string };
  trajectory_events: { event: unknown }[];
}

/** Ten sessions, newest first, of which the newest two wait for a review. */
async function withTen(config: Omit<ConfigInput, "log"> = {}): Promise<{ atlas: Atlas; ids: string[] }> {
  const folder = folderForTest();
  const atlas = await opened(folder, config);
  const file = join(folder, "runs.jsonl");
  writeFileSync(file, linesOf(upTo(10).map((index) => recorded(index))));
  await atlas.sessions.import({ files: [file] });
  await atlas.settled();
  const sessions = await listSessions(atlas.db, { limit: null });
  await atlas.log.append(decisionsOn(atlas.log, sessions.slice(2), "approved", { author: "test" }));
  await atlas.settled();
  return { atlas, ids: sessions.map(({ sessionId }) => sessionId) };
}

async function exported(atlas: Atlas, flags: Partial<ExportFlags>): Promise<Line[]> {
  const output = join(folderForTest(), "out", "traces.jsonl");
  await checkedExport({ offset: "0", ...flags })(atlas, { output });
  return readFileSync(output, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
}

test("flags of an export choose what they say", async () => {
  const { atlas, ids } = await withTen();
  const told: string[] = [];
  const stderr = vi.spyOn(process.stderr, "write").mockImplementation((text) => told.push(String(text)) > 0);
  onTestFinished(() => stderr.mockRestore());
  const idsWith = async (flags: Partial<ExportFlags>): Promise<string[]> =>
    (await exported(atlas, flags)).map(({ session_metadata }) => session_metadata.session_id);

  expect(await idsWith({})).toEqual(ids.slice(2));
  // What is written counts, not what was looked at on the way.
  expect(await idsWith({ limit: "3" })).toEqual(ids.slice(2, 5));
  expect(await idsWith({ limit: "3", offset: "2", batchSize: "1" })).toEqual(ids.slice(4, 7));
  expect(await idsWith({ includeStatus: ["PENDING"] })).toEqual(ids);
  expect(await idsWith({ includeAllStatuses: true, limit: "1" })).toEqual(ids.slice(0, 1));
  expect(await idsWith({ status: ["Succeeded"] })).toEqual(ids.slice(2));
  await expect(idsWith({ status: ["failed"] })).rejects.toMatchObject({ code: "ATLAS_NOTHING_TO_EXPORT" });

  const [seventh] = (await listSessions(atlas.db, { limit: null })).filter(
    ({ sessionId }) => sessionId === ids[7],
  );
  const asked = [ids[5]!, String(seventh!.id), "f00dfeed", ids[2]!.slice(0, 13), ids[5]!, ids[0]!];
  // In the order that was asked for, each once; not the one that waits for its review.
  expect(await idsWith({ sessionId: asked, limit: "1", offset: "5" })).toEqual([ids[5], ids[7], ids[2]]);
  expect(told.join("")).toMatch(/^warning: ATLAS_SESSION_NOT_FOUND: .*f00dfeed.*\n$/);

  const rewarded = ids.filter((_, index) => index >= 2 && (((10 - index) * 37) % 101) / 100 >= 0.5);
  expect(await idsWith({ minReward: "0.5" })).toEqual(rewarded);
  expect(await idsWith({ where: ["min_reward=0.5", "agent=clerk"] })).toEqual(rewarded);
  expect(await idsWith({ where: ["max_reward=0.499"] })).toHaveLength(8 - rewarded.length);
  const ofKey = ids.filter((_, index) => index >= 2 && (10 - index) % 3 === 1);
  expect(await idsWith({ where: ["learning_key=orders-1"] })).toEqual(ofKey);
  expect(await idsWith({ where: ["learning_key=orders-1"], learningKey: "orders-2" })).not.toContain(
    ofKey[0],
  );
  expect(await idsWith({ where: ["created_before=2025-04-01T05:00:00Z"] })).toEqual(ids.slice(-4));

  const events = async (flags: Partial<ExportFlags>): Promise<unknown[]> =>
    (await exported(atlas, { limit: "1", ...flags }))[0]!.trajectory_events.map(({ event }) => event);
  expect(await events({ trajectoryEventLimit: "2" })).toEqual((await events({})).slice(-2));
});

test("the configuration says what leaves by default, and an interrupted export leaves nothing", async () => {
  const { atlas, ids } = await withTen({ export: { reviewStatuses: ["pending"] } });
  expect(await exported(atlas, {})).toHaveLength(2);
  expect(await exported(atlas, { includeStatus: ["approved"] })).toHaveLength(ids.length);

  const folder = folderForTest();
  const output = join(folder, "traces.jsonl");
  const interrupted = new AbortController();
  const onProgress = (sessions: number): void => {
    if (sessions === 3) interrupted.abort(new Error("stop"));
  };
  const run = checkedExport({ offset: "0", includeAllStatuses: true });
  await expect(run(atlas, { output, onProgress, signal: interrupted.signal })).rejects.toThrow("stop");
  expect(readdirSync(folder)).toEqual([]);
});

test("arc-atlas ends with the code that says what happened", async () => {
  const folder = userFolder();
  const run = (...args: string[]) => command(folder, ["export", ...args]);
  const refused: [args: string[], code: number, words: RegExp][] = [
    [["--output", "traces.jsonl"], 1, /^ATLAS_NOTHING_TO_EXPORT: .*atlas review approve/],
    [
      ["--output", "traces.jsonl", "--database-url", "postgresql://127.0.0.1:1/none"],
      1,
      /^ATLAS_DATABASE_UNREACHABLE/,
    ],
    [
      ["--output", "traces.jsonl", "--where", "review=all"],
      2,
      /^ATLAS_USAGE: an export has a flag for review/,
    ],
    [[], 2, /required option '--output <file>'/],
  ];
  for (const [args, code, words] of refused)
    expect(await run(...args), args.join(" ")).toMatchObject({ code, stderr: expect.stringMatching(words) });
  expect(existsSync(join(folder, "traces.jsonl"))).toBe(false);
});
