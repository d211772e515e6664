import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openAtlas } from "../../app/open-atlas.ts";
import { openaiAgent } from "../../producers/agents/openai-agent.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { type ModelServer, startModelServer } from "../models/model-server.ts";
import { planningStudent } from "../producers/lanes.ts";
import { checkSession } from "../producers/session-checks.ts";
import { only } from "../recording/memory-log.ts";
import { missing, postgres } from "../services/services.ts";
import { sessionsOf } from "./hostile-run.ts";
import { startGate, type TcpGate } from "./tcp-gate.ts";

const OWN = simulatedModel({ latencyMs: 0 });
const STEPS = [
  { id: 1, description: "before" },
  { id: 2, description: "during", depends_on: [1] },
  { id: 3, description: "after", depends_on: [2] },
];

describe.skipIf(await missing("postgres"))("a log that goes away in the middle of a run", () => {
  let folder: string;
  let gate: TcpGate;
  let server: ModelServer;
  let url: string;
  let inDuring: () => void | Promise<void>;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "atlas-gone-"));
    const behind = new URL((await postgres()).url);
    gate = await startGate(Number(behind.port));
    behind.port = String(gate.port);
    url = behind.href;
    inDuring = () => {};
    server = await startModelServer(
      planningStudent(STEPS, async (step) => {
        if (step === "during") await inDuring();
        return `did ${step}`;
      }),
    );
  });
  afterEach(async () => {
    await server[Symbol.asyncDispose]();
    await gate[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = () =>
    openAtlas({ log: { kind: "postgres", databaseUrl: url }, spool: { path: folder } }, { consumers: false });
  const task = () => ({
    task: "Say hello",
    agent: openaiAgent({ model: "m", baseUrl: server.url }),
    teacher: OWN,
    judge: OWN,
    learningKey: "gone",
    lane: { forced: "auto" as const },
    executionMode: "stepwise" as const,
  });

  test("and comes back: the run went on, durable resolves, and the log tells all of it once and in order", async () => {
    await using atlas = await open();
    inDuring = () => {
      gate.shut();
      setTimeout(() => gate.open(), 1000);
    };
    const result = await atlas.run(task());
    expect(result).toMatchObject({ status: "succeeded", finalAnswer: "the whole" });
    await result.durable;
    const events = (await sessionsOf(atlas.log)).get(result.sessionId)!;
    checkSession(events);
    expect(only(events, "StepEnded").map(({ output }) => output)).toEqual([
      "did before",
      "did during",
      "did after",
    ]);
    expect(only(events, "ModelCallEnded").filter(({ role }) => role === "student")).toHaveLength(5);
  });

  test("and stays away until the process ends: what waits is in the spool, and the next one appends it", async () => {
    let sessionId: string;
    {
      const atlas = await open();
      inDuring = () => gate.shut();
      const result = await atlas.run(task());
      sessionId = result.sessionId;
      expect(result.status).toBe("succeeded");
      await Promise.all([
        expect(result.durable).rejects.toMatchObject({ code: "ATLAS_SPOOLED", retryable: true }),
        atlas.close().catch(() => undefined),
      ]);
    }
    expect(readdirSync(folder, { recursive: true }).length).toBeGreaterThan(0);
    gate.open();
    await using atlas = await open();
    const report = await atlas.spool.drain();
    expect(report.kept).toEqual([]);
    const events = (await sessionsOf(atlas.log)).get(sessionId)!;
    checkSession(events);
    expect(only(events, "SessionEnded")).toMatchObject([{ status: "succeeded", final_answer: "the whole" }]);
  });
});
