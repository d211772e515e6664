import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { type Atlas, openAtlas } from "../../app/open-atlas.ts";
import { list as alerts } from "../../cli/commands/alerts.ts";
import { report as drift } from "../../cli/commands/drift.ts";
import { tail } from "../../cli/commands/log.ts";
import { decide, list as review } from "../../cli/commands/review.ts";
import { report as rewards } from "../../cli/commands/rewards.ts";
import { list as sessions } from "../../cli/commands/sessions.ts";

const folder = mkdtempSync(join(tmpdir(), "atlas-listings-"));
const config = join(folder, "atlas.yaml");
/** Serves the log, so that each command only connects to it. */
let atlas: Atlas;

const row = (index: number): string =>
  JSON.stringify({
    task: `Task ${index}`,
    reward: 1,
    metadata: { learning_key: "orders" },
    messages: [
      { role: "user", content: `Task ${index}` },
      { role: "assistant", content: "Answer" },
    ],
  });

beforeAll(async () => {
  writeFileSync(config, `log: { kind: embedded, path: ${join(folder, ".atlas")} }\n`);
  atlas = await openAtlas(config);
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  await atlas.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What a command prints; it runs here, as starting a process for each would cost more than the command. */
async function printed(command: () => Promise<void>): Promise<string> {
  let text = "";
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  try {
    await command();
  } finally {
    spy.mockRestore();
  }
  return text;
}

const page = { config, limit: "50", offset: "0" };

test("an empty log has no sessions, whatever the filters", async () => {
  expect(await printed(() => sessions(page))).toMatch(/^No sessions yet\. Try `/);
  expect(await printed(() => sessions({ ...page, status: ["failed"] }))).toMatch(/^No sessions yet\. Try `/);
  expect(await printed(() => rewards({ config, learningKey: "x" }))).toBe("No session has a reward.\n");
});

test("a listing that a filter keeps empty says so, and how many there are without it", async () => {
  const file = join(folder, "runs.jsonl");
  writeFileSync(file, `${row(1)}\n${row(2)}\n`);
  expect(await atlas.sessions.import({ files: [file] })).toMatchObject({ sessions: 2 });
  await atlas.settled();

  const failed = printed(() => sessions({ ...page, status: ["Failed"] }));
  expect(await failed).toBe("No session matches --status Failed; without it there are 2.\n");
  const both = { ...page, reviewStatus: ["approved"], learningKey: "other" };
  expect(await printed(() => sessions(both))).toBe(
    "No session matches --review-status approved --learning-key other; without them there are 2.\n",
  );
  expect(await printed(() => sessions({ ...page, offset: "9" }))).toBe(
    "No session matches --offset 9; without it there are 2.\n",
  );
  expect(await printed(() => review({ ...page, status: ["pending"], maxReward: "0.5" }))).toContain(
    "No pending session matches --max-reward 0.5; without it there are 2.\n",
  );
  expect(await printed(() => review({ ...page, status: ["approved"] }))).toContain("(none)");
  expect(await printed(() => decide("approved")([], { config, all: true, learningKey: "other" }))).toBe(
    "No pending session matches --learning-key other; without it there are 2.\n",
  );
  expect(await printed(() => rewards({ config, learningKey: "other" }))).toBe(
    "No session with a reward matches --learning-key other; without it there are 2.\n",
  );
  expect(await printed(() => drift({ config, since: "2999-01-01" }))).toBe(
    "No assessed session matches --since 2999-01-01; without it there are 2.\n",
  );
  expect(await printed(() => tail({ config, topic: ["atlas.dead-letters"], limit: "5" }))).toBe(
    "No event in atlas.dead-letters.\n",
  );
  expect(await printed(() => alerts({ config, limit: "5" }))).toBe("No alert waits or has failed.\n");
});

test("a status that there is not is refused before anything is opened", async () => {
  const nowhere = { ...page, config: join(folder, "missing.yaml"), status: ["foo"] };
  await expect(sessions(nowhere)).rejects.toMatchObject({ code: "ATLAS_USAGE", where: "--status" });
});
