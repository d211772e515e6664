import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LIVE_JSONL, LIVE_TOPICS } from "../../sinks/jsonl/live-sink.ts";
import { LIMIT_MS } from "../eventually.ts";
import { writeConversations } from "../soak/conversations.ts";
import { approveAll, exportedFrom, folderForTest, opened } from "./opened.ts";

const linesIn = (folder: string): string[] =>
  readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), "utf8").split(/(?<=\n)/));

test("a configured live dataset grows with each approval", async () => {
  const folder = folderForTest();
  const path = join(folder, "live");
  const atlas = await opened(folder, { liveDataset: { path, rotateMb: 8 } });
  const file = join(folder, "runs.jsonl");
  writeConversations(file, 3, 20);
  await atlas.sessions.import({ files: [file] });
  await approveAll(atlas);
  await atlas.log.caughtUp(LIVE_JSONL, await atlas.log.ends(LIVE_TOPICS), { timeoutMs: LIMIT_MS });
  const lines = linesIn(path).filter((line) => line !== "");
  expect(lines.sort()).toEqual((await exportedFrom(atlas)).split(/(?<=\n)/).sort());
});
