import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { linesOf, recorded, tenRuns } from "../cli/recorded.ts";
import { eventually } from "../eventually.ts";
import type { Installed } from "./installed.ts";
import { shellOf } from "./shell.ts";
import { hasTerminals, NO_TERMINAL, onTerminal } from "./terminal.ts";

/** What `/healthz` answers, as far as these tests look. */
interface Health {
  status: string;
  log: { kind: string };
  groups: { group: string; assignments: number[]; lag: number }[];
}

const GROUPS = ["session-rewards@2", "drift@3", "review@1", "read-models"];
const HEALTH = /health at (http:\S+\/healthz)/;

export function sharing(installed: () => Installed): void {
  test("a worker answers /healthz, lets a second terminal work, and ends with 0 on SIGTERM", async () => {
    const shell = shellOf(installed());
    const worker = shell.start("atlas", ["worker", "--port", "0"]);
    try {
      const [, url] = await worker.says(HEALTH);
      shell.write("runs.jsonl", tenRuns());
      expect(await shell.json("import", "runs.jsonl")).toMatchObject({ sessions: 10 });
      expect(await shell.json("review", "approve", "--all", "--status", "pending")).toHaveLength(10);
      const [listed, exported] = await Promise.all([
        shell.json("sessions", "list"),
        shell.json<{ manifest: { sessions: number } }>("export", "--output", "traces.jsonl"),
      ]);
      expect(listed).toHaveLength(10);
      expect(exported.manifest.sessions).toBe(10);
      const response = await fetch(url!);
      expect(response.status).toBe(200);
      const health = (await response.json()) as Health;
      expect(health.status).toBe("ok");
      expect(health.groups.map(({ group }) => group)).toEqual(GROUPS);
      expect(health.groups.map(({ lag }) => lag)).toEqual([0, 0, 0, 0]);
      expect((await fetch(new URL("/", url))).status).toBe(404);
    } finally {
      worker.child.kill("SIGTERM");
    }
    expect(await worker.ended).toMatchObject({ code: 0, stdout: "" });
    expect(await shell.json("sessions", "list")).toHaveLength(10);
  });

  test("a second terminal goes on when the first is killed", async () => {
    const shell = shellOf(installed());
    const first = shell.start("atlas", ["worker", "--port", "0"]);
    await first.says(HEALTH);
    const second = shell.start("atlas", ["worker", "--port", "0"]);
    const [, url] = await second.says(HEALTH);
    first.child.kill("SIGKILL");
    await first.ended;
    shell.write("runs.jsonl", tenRuns());
    expect(await shell.json("import", "runs.jsonl")).toMatchObject({ sessions: 10 });
    expect(await shell.json("sessions", "list")).toHaveLength(10);
    await eventually(async () => expect(await (await fetch(url!)).json()).toMatchObject({ status: "ok" }));
    second.child.kill("SIGTERM");
    expect(await second.ended).toMatchObject({ code: 0 });
  });

  test("Ctrl-C ends an import with 130, and a second import takes the rest", async () => {
    const shell = shellOf(installed());
    const rows = Array.from({ length: 300 }, (_, index) => recorded(index));
    shell.write("runs.jsonl", linesOf(rows));
    const importing = shell.start("atlas", ["import", "runs.jsonl", "--learning-key", "one"]);
    // It has just begun: by the time that anybody could see an event, it may have taken them all.
    await eventually(() => expect(existsSync(shell.file(".atlas/pgdata/PG_VERSION"))).toBe(true));
    importing.child.kill("SIGINT");
    const { code, stderr } = await importing.ended;
    expect({ code, stderr }).toEqual({ code: 130, stderr: "ATLAS_INTERRUPTED: interrupted.\n" });
    const again = await shell.json<{ sessions: number; skippedSessions: number }>(
      ...["import", "runs.jsonl", "--learning-key", "one"],
    );
    expect(again.sessions + again.skippedSessions).toBe(rows.length);
    expect(await shell.json("sessions", "list", "--limit", "500")).toHaveLength(rows.length);
  });

  test("a reader that leaves early ends nothing with an error", async () => {
    const shell = shellOf(installed());
    const keyed = (index: number) => recorded(index, { metadata: { learning_key: `key-${index}` } });
    // Listed they are 160 KB, and a pipe holds 64.
    shell.write("runs.jsonl", linesOf(Array.from({ length: 250 }, (_, index) => keyed(index))));
    await shell.json("import", "runs.jsonl");
    const { code, stdout, stderr } = await shell.start("bash", [
      ...["-o", "pipefail", "-c", "atlas sessions list --limit 250 --json | head -n 1"],
    ]).ended;
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "[\n", stderr: "" });
  });

  test("colours are for terminals, and not for those who set NO_COLOR", async ({ skip }) => {
    skip(!hasTerminals(), NO_TERMINAL);
    const shell = shellOf(installed());
    shell.write("runs.jsonl", tenRuns());
    await shell.json("import", "runs.jsonl");
    const terminal = { TERM: "xterm" };
    const list = onTerminal("atlas sessions list");
    const coloured = await shell.start("script", list, terminal).ended;
    expect(coloured.stdout).toContain("\u001b[32msucceeded");
    const plain = await shell.start("script", list, { ...terminal, NO_COLOR: "1" }).ended;
    expect(plain.stdout).not.toContain("\u001b");
    expect((await shell.atlas("sessions", "list")).stdout).not.toContain("\u001b");
  });
}
