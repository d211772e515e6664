import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openAtlas } from "../../app/open-atlas.ts";
import { startAtlas, userFolder } from "../cli/from-source.ts";
import { eventually } from "../eventually.ts";
import { completion, json, startModelServer } from "../models/model-server.ts";
import { checkSession } from "../producers/session-checks.ts";
import { only } from "../recording/memory-log.ts";
import { missing, postgres } from "../services/services.ts";
import { sessionsOf } from "./hostile-run.ts";
import { startGate } from "./tcp-gate.ts";

test.skipIf(await missing("postgres")).each([
  ["breaks", "is interrupted", 130],
  ["hangs", "is interrupted", 130],
  ["hangs", "is left alone", 1],
] as const)(
  "atlas run that waits for a log that %s and %s ends, with everything in the spool, and exit code %i",
  async (way, _, expected) => {
    const folder = userFolder();
    const behind = new URL((await postgres()).url);
    await using gate = await startGate(Number(behind.port));
    behind.port = String(gate.port);
    await using server = await startModelServer((_, response) => {
      if (way === "breaks") gate.shut();
      else gate.stall();
      json(response, completion("the whole"));
    });
    writeFileSync(
      join(folder, "atlas.yaml"),
      `agent: {type: openai, model: m, base_url: "${server.url}"}
teacher: {provider: simulated, model: s}
judge: {provider: simulated, model: s}
log: {kind: postgres, database_url: "${behind.href}"}
spool: {path: spool}
`,
    );
    const { child, ended } = startAtlas(folder, ["run", "--task", "t", "--config", "atlas.yaml"]);
    onTestFinished(() => void child.kill("SIGKILL"));
    const runs = join(folder, ".atlas/runs");
    await eventually(() => expect(existsSync(runs) && readdirSync(runs)).toHaveLength(1));
    if (expected === 130) child.kill("SIGINT");
    const { code, stdout, stderr } = await ended;
    expect(code, stderr).toBe(expected);
    expect(stdout).toBe("the whole\n");
    expect(stderr).toMatch(/ATLAS_SPOOLED: \d+ of \d+ events of the session wait in the spool/);

    gate.open();
    await using atlas = await openAtlas(
      { log: { kind: "postgres", databaseUrl: behind.href }, spool: { path: join(folder, "spool") } },
      { consumers: false },
    );
    const report = await atlas.spool.drain();
    expect(report.kept).toEqual([]);
    const [, sessionId] = /sessions show (\S+)/.exec(stderr)!;
    const events = (await sessionsOf(atlas.log)).get(sessionId!)!;
    checkSession(events);
    expect(only(events, "SessionEnded")).toMatchObject([{ status: "succeeded", final_answer: "the whole" }]);
  },
);
