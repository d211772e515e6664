import { expect, test } from "vitest";
import type { ChosenSession } from "../../../sinks/datasets/collect-sessions.ts";
import { DatasetPlan, type Division } from "../../../sinks/datasets/dataset-plan.ts";
import { partOf, SPLIT_KEYS, type Split } from "../../../sinks/datasets/split.ts";

const PARTS = { train: 0.5, eval: 0.5 };
const splitBy = (by: Split["by"]): Split => ({ parts: PARTS, seed: 1, by });

/** Groups of four that go over tasks and learning keys, and sessions of none. */
const SESSIONS: ChosenSession[] = Array.from({ length: 240 }, (_, index) => ({
  sessionId: `session ${String(index).padStart(3, "0")}`,
  createdAt: 1_000_000 - index,
  learningKey: `key ${index % 7}`,
  task: `task ${index % 11}`,
  groupId: index < 120 ? `group\t${index % 30}` : null,
  content: `content ${index}`,
  position: index,
  length: 1,
}));

async function placed(
  split: Split,
  more: Partial<Division> = {},
  sessions = SESSIONS,
): Promise<{ session: ChosenSession; part: string; file: string }[]> {
  const division = { split, shards: 1, extension: "jsonl", wholeGroups: true, groupsTogether: false };
  const plan = new DatasetPlan({ ...division, ...more }, {});
  for (const session of sessions) await plan.add(session);
  expect(await plan.divided()).toEqual([]);
  const found: { session: ChosenSession; part: string; file: string }[] = [];
  for await (const { session, file } of plan.sessions())
    found.push({ session, part: plan.files[file]!.split!, file: plan.files[file]!.name });
  expect(found).toHaveLength(sessions.length);
  return found;
}

/** How many of these are in more than one part or file. */
function dividedBy(
  found: Awaited<ReturnType<typeof placed>>,
  keyOf: (session: ChosenSession) => string | null,
  placeOf: "part" | "file" = "part",
): number {
  const places = new Map<string, Set<string>>();
  for (const one of found) {
    const key = keyOf(one.session);
    if (key === null) continue;
    if (!places.has(key)) places.set(key, new Set());
    places.get(key)!.add(one[placeOf]);
  }
  return [...places.values()].filter(({ size }) => size > 1).length;
}

test.each(SPLIT_KEYS)("by %s, a group is never divided, in whatever order sessions come", async (by) => {
  const found = await placed(splitBy(by));
  expect(dividedBy(found, ({ groupId }) => groupId)).toBe(0);
  expect(new Set(found.map(({ part }) => part)).size).toBe(2);
  const again = await placed(splitBy(by), {}, SESSIONS.toReversed());
  expect(again).toEqual(found);
});

test("what stays together is what the split goes by, among sessions of no group", async () => {
  const ofNone = SESSIONS.filter(({ groupId }) => groupId === null);
  const byTask = await placed(splitBy("task"), {}, ofNone);
  expect(dividedBy(byTask, ({ task }) => task)).toBe(0);
  expect(dividedBy(byTask, ({ learningKey }) => learningKey)).toBeGreaterThan(0);
  expect(await placed(splitBy("group"), {}, ofNone)).toEqual(byTask);
  const byKey = await placed(splitBy("learning-key"), {}, ofNone);
  expect(dividedBy(byKey, ({ learningKey }) => learningKey)).toBe(0);
  expect(dividedBy(await placed(splitBy("session"), {}, ofNone), ({ task }) => task)).toBeGreaterThan(0);
});

test("with groups of one task each, no task is divided by task", async () => {
  const sessions = SESSIONS.map((session) => ({ ...session, task: session.groupId ?? session.task }));
  expect(dividedBy(await placed(splitBy("task"), {}, sessions), ({ task }) => task)).toBe(0);
});

test("sessions that are added later move no group", async () => {
  const before = await placed(splitBy("task"));
  const later = SESSIONS.map((session, index) => ({
    ...session,
    sessionId: `later ${index}`,
    createdAt: session.createdAt + 5_000_000,
    task: `other ${index}`,
    content: `other ${index}`,
  }));
  const after = await placed(splitBy("task"), {}, [...later, ...SESSIONS]);
  const partOfId = new Map(after.map(({ session, part }) => [session.sessionId, part]));
  for (const { session, part } of before) expect(partOfId.get(session.sessionId)).toBe(part);
  expect(dividedBy(after, ({ groupId }) => groupId)).toBe(0);
});

test.each([
  ["learning-key", ({ learningKey }: ChosenSession) => learningKey],
  ["session", ({ sessionId }: ChosenSession) => sessionId],
] as const)("layout 1 divides by %s alone, as it did", async (by, keyOf) => {
  const found = await placed(splitBy(by), { wholeGroups: false });
  for (const { session, part } of found) expect(part).toBe(partOf(splitBy(by), keyOf(session)));
  expect(dividedBy(found, ({ groupId }) => groupId)).toBeGreaterThan(0);
});

test("where a format asks for groups, each is in one file, without others between", async () => {
  const found = await placed(splitBy("session"), { shards: 3, groupsTogether: true });
  expect(new Set(found.map(({ file }) => file)).size).toBe(6);
  expect(dividedBy(found, ({ groupId }) => groupId, "file")).toBe(0);
  const runs = found.filter(
    ({ session: { groupId } }, index) => groupId !== null && groupId !== found[index - 1]?.session.groupId,
  );
  expect(runs).toHaveLength(30);
});
