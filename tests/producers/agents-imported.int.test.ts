import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { configuredAgent } from "../../app/configured-agent.ts";
import { loadConfig } from "../../configs/load-config.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { only } from "../recording/memory-log.ts";
import { run } from "./sessions.ts";

const model = simulatedModel({ latencyMs: 0 });
const folder = mkdtempSync(join(tmpdir(), "atlas-imported-"));
const path = join(folder, "agents.mjs");
beforeAll(() =>
  writeFileSync(
    path,
    `export const plain = (task) => "plain " + task;
export default async (task) => ({ content: "later " + task, deliverable: { done: true } });
export async function* pieces(task, { step }, ctx) {
  yield "in ";
  yield await ctx.tool("look", { step: step.id }, async () => "pieces ");
  yield task;
}
export function* bytes(task) { yield new TextEncoder().encode("bytes "); yield task; }
export async function* half() { yield "half"; throw new Error("broke off"); }
export async function* odd() { yield 7; }
export const phases = { act: (task) => "acted on " + task };
export const nothing = 7;
`,
  ),
);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function runExport(attribute: string) {
  const config = loadConfig({ agent: { type: "function", importPath: path, attribute } }, {});
  const agent = await configuredAgent(config.agent!);
  return run({ agent, teacher: model, judge: model });
}

test.each([
  ["plain", "plain Say hello"],
  ["default", "later Say hello"],
  ["pieces", "in pieces Say hello"],
  ["bytes", "bytes Say hello"],
  ["phases", "acted on Say hello"],
])("an agent that is the export %s of a module answers", async (attribute, answer) => {
  const { result, events } = await runExport(attribute);
  expect(result).toMatchObject({ status: "succeeded", finalAnswer: answer });
  const tools = only(events, "ToolCallEnded");
  expect(tools).toHaveLength(attribute === "pieces" ? 1 : 0);
  for (const tool of tools) expect(tool).toMatchObject({ name: "look", output: "pieces ", step_id: 1 });
});

test.each([
  ["half", /broke off/],
  ["odd", /yielded number, not text/],
])(
  "a generator %s that fails in the middle is a failed attempt, without half an answer",
  async (attribute, why) => {
    const { result, events } = await runExport(attribute);
    expect(result).toMatchObject({ status: "failed", error: { code: "ATLAS_AGENT_FAILED" } });
    expect(result.error?.message).toMatch(why);
    expect(result.finalAnswer).toBeUndefined();
    expect(only(events, "AttemptEnded")).toMatchObject([{ status: "failed", output: null }]);
  },
);

test("an export that is no agent, or is not there, is refused before anything runs", async () => {
  await expect(runExport("nothing")).rejects.toMatchObject({ code: "ATLAS_CONFIG_INVALID" });
  await expect(runExport("absent")).rejects.toThrow(/exports no/);
});
