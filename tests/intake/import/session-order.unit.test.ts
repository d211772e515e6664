import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type ImportOptions, importRecorded } from "../../../intake/import/import-recorded.ts";
import { encodeEvent } from "../../../schemas/codec.ts";
import type { AtlasEvent } from "../../../schemas/generated/events.ts";
import { alreadyMasked } from "../../../schemas/masked.ts";

const folder = mkdtempSync(join(tmpdir(), "atlas-order-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Run {
  text: string;
  reward?: number | undefined;
  key?: string | undefined;
}

let written = 0;
function fileOf(...runs: Run[]): string {
  written += 1;
  const path = join(folder, `${written}.jsonl`);
  const lines = runs.map(({ text, reward = 1, key = "k" }) =>
    JSON.stringify({
      reward: Number.isNaN(reward) ? undefined : reward,
      metadata: { learning_key: key },
      messages: [
        { role: "user", content: text },
        { role: "assistant", content: "Yes." },
      ],
    }),
  );
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}

const NOTHING = Number.NaN;
const run = (text: string, reward?: number, key?: string): Run => ({ text, reward, key });

/** What an import appends to a log that holds these events. */
async function appendedBy(
  files: readonly string[],
  options: Partial<ImportOptions> & { held?: readonly AtlasEvent[] } = {},
): Promise<AtlasEvent[]> {
  const appended: AtlasEvent[] = [];
  const { held = [], ...rest } = options;
  await importRecorded({
    files,
    at: new Date(0),
    rulesHash: "rules",
    log: {
      mask: alreadyMasked,
      append: async (events) => {
        for (const event of events) appended.push(event);
      },
    },
    knownSequences: async () => new Map(held.map(({ meta }) => [meta.source, meta.sequence])),
    ...rest,
  });
  return appended;
}

/** Each session that was started, and the one that it says is before it, by their tasks. */
function orderOf(events: readonly AtlasEvent[]): [task: string, before: string | null | undefined][] {
  const started = events.filter((event) => event.type === "SessionStarted");
  const tasks = new Map(started.map(({ meta, task }) => [meta.source, task]));
  return started.map(({ task, after }) => [task, after && (tasks.get(after) ?? "one of before")]);
}

const bytes = (events: readonly AtlasEvent[]): string[] =>
  events.map((event) => encodeEvent(event).body.toString("hex"));

describe("an imported session names the one before it", () => {
  test("of its learning key, through all files of the import", async () => {
    const files = [fileOf(run("a"), run("x", 1, "other"), run("b")), fileOf(run("c"), run("y", 1, "other"))];
    expect(orderOf(await appendedBy(files))).toEqual([
      ["a", null],
      ["x", null],
      ["b", "a"],
      ["c", "b"],
      ["y", "x"],
    ]);
  });

  test("that is rewarded: one without a score is before none, and has one before it", async () => {
    const file = fileOf(run("a"), run("unscored", NOTHING), run("b"));
    expect(orderOf(await appendedBy([file]))).toEqual([
      ["a", null],
      ["unscored", "a"],
      ["b", "a"],
    ]);
  });

  test("that the rules give a reward", async () => {
    const file = fileOf(run("a", 0.2), run("b", 0.9), run("c", 0.8));
    const isRewarded: ImportOptions["isRewarded"] = (judgements) =>
      judgements.some(({ score }) => score > 0.5);
    expect(orderOf(await appendedBy([file], { isRewarded }))).toEqual([
      ["a", null],
      ["b", null],
      ["c", "b"],
    ]);
  });

  test("and not a repetition, which is nowhere", async () => {
    const file = fileOf(run("a"), run("b"), run("a"), run("c"));
    expect(orderOf(await appendedBy([file]))).toEqual([
      ["a", null],
      ["b", "a"],
      ["c", "b"],
    ]);
  });

  test("also where the log holds that already: a file that has grown goes on where it ended", async () => {
    const held = await appendedBy([fileOf(run("a"), run("b"))]);
    const added = await appendedBy([fileOf(run("a"), run("b"), run("c"), run("d"))], { held });
    expect(orderOf([...held, ...added])).toEqual([
      ["a", null],
      ["b", "a"],
      ["c", "b"],
      ["d", "c"],
    ]);
  });

  test("and begins anew with each import of other files, which say nothing of those before", async () => {
    const held = await appendedBy([fileOf(run("a"))]);
    expect(orderOf(await appendedBy([fileOf(run("b"), run("c"))], { held }))).toEqual([
      ["b", null],
      ["c", "b"],
    ]);
  });
});

test("an import that goes on after it was killed anywhere says the same, byte for byte", async () => {
  const file = fileOf(
    ...Array.from({ length: 12 }, (_, index) => run(`task ${index}`, index % 4 === 0 ? NOTHING : 1)),
  );
  const whole = await appendedBy([file]);
  for (const kept of [0, 1, 9, 30, whole.length - 1, whole.length]) {
    const rest = await appendedBy([file], { held: whole.slice(0, kept) });
    expect(bytes([...whole.slice(0, kept), ...rest])).toEqual(bytes(whole));
  }
});
