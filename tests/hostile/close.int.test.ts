import { once } from "node:events";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { openAtlas } from "../../app/open-atlas.ts";
import { withAtlas } from "../../cli/session.ts";
import { folderForTest } from "../app/opened.ts";
import { missing, postgres } from "../services/services.ts";
import { startGate, type TcpGate } from "./tcp-gate.ts";

const isMissing = await missing("postgres");
let gate: TcpGate;
let databaseUrl: string;

beforeAll(async () => {
  if (isMissing) return;
  const behind = new URL((await postgres()).url);
  gate = await startGate(Number(behind.port));
  behind.port = String(gate.port);
  databaseUrl = behind.href;
});
afterAll(() => gate?.[Symbol.asyncDispose]());

test.skipIf(isMissing)("closing is given up after a while when the database hangs, and says so", async () => {
  const spool = { path: folderForTest() };
  const atlas = await openAtlas({ log: { kind: "postgres", databaseUrl }, spool });
  gate.stall();
  onTestFinished(() => gate.open());
  const warned = once(process, "warning");
  await atlas.close({ timeoutMs: 100 });
  const [warning] = await warned;
  expect(warning).toMatchObject({ code: "ATLAS_CLOSE_GIVEN_UP" });
  expect(String(warning)).toContain(`waits in ${spool.path}`);
});

test.skipIf(isMissing)(
  "a command that failed because the database hangs ends, with what it failed for",
  async () => {
    const exit = vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
    onTestFinished(() => {
      gate.open();
      exit.mockRestore();
    });
    const failing = withAtlas({ databaseUrl }, async () => {
      gate.stall();
      throw new Error("the command's own");
    });
    await expect(failing).rejects.toThrow("the command's own");
    await vi.waitFor(() => expect(exit).toHaveBeenCalled(), 20_000);
  },
);
