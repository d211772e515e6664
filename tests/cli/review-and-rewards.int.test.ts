import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { atlas } from "./from-source.ts";
import { hereServed } from "./here.ts";

const run = (index: number, reward: number): string =>
  JSON.stringify({
    id: `run-${index}`,
    task: `Task ${index}`,
    created_at: new Date(Date.UTC(2025, 2, 1, 8, index)).toISOString(),
    reward,
    metadata: { agent: "shop", learning_key: "orders" },
    messages: [
      { role: "user", content: `Task ${index}` },
      { role: "assistant", content: `Answer ${index}` },
    ],
  });

/** Nine good sessions, whose rewards vary, and one that failed: it raises an alert, and as the newest has the integer 10. */
async function filled(): Promise<string> {
  const { folder } = await hereServed();
  const rows = Array.from({ length: 10 }, (_, index) =>
    run(index, index === 9 ? 0 : 0.93 + ((7 * index) % 5) / 100),
  );
  writeFileSync(join(folder, "runs.jsonl"), `${rows.join("\n")}\n`);
  expect(await atlas(folder, ["import", "runs.jsonl", "--quiet"])).toMatchObject({ code: 0 });
  return folder;
}

interface Listed {
  sessionId: string;
  reward: number;
  driftAlert: boolean;
}

const json = async <T>(folder: string, ...args: string[]): Promise<T> =>
  JSON.parse((await atlas(folder, [...args, "--json"])).stdout) as T;

describe("the commands that people decide with", () => {
  test("filter, decide, tell whom they overrode, and keep the history", async () => {
    const folder = await filled();
    const alerting = await json<Listed[]>(folder, "review", "list", "--drift", "alert");
    expect(alerting).toMatchObject([{ reward: 0, driftAlert: true }]);
    const good = await json<Listed[]>(folder, "review", "list", "--min-reward", "0.5", "--drift", "ok");
    expect(good).toHaveLength(9);
    expect(await json(folder, "review", "list", "--max-reward", "0.5", "--learning-key", "other")).toEqual(
      [],
    );
    expect(await atlas(folder, ["review", "list", "--min-reward", "much"])).toMatchObject({ code: 2 });

    const id = alerting[0]!.sessionId;
    const first = await json<unknown[]>(
      folder,
      "review",
      "approve",
      id,
      "--author",
      "ann",
      "--note",
      "why not",
    );
    expect(first).toMatchObject([{ reviewStatus: "approved", overrode: null }]);
    const second = await atlas(folder, ["review", "quarantine", id, "--author", "bea", "--quiet"]);
    expect(second.stdout).toContain("It overrode ann, who had said approved.");

    const history = await atlas(folder, ["review", "history", id]);
    expect(history.stdout).toMatch(/pending → approved {2}by ann\n/);
    expect(history.stdout).toMatch(/approved → quarantined {2}by bea {2}\(stands\)/);
    expect(history.stdout).toContain("note: why not");
    expect(await json(folder, "review", "diff", id)).toMatchObject({
      status: "quarantined",
      change: { from: "approved", to: "quarantined", author: "bea", overrode: { author: "ann" } },
    });
    expect((await atlas(folder, ["review", "diff", id])).stdout).toContain("- approved\n+ quarantined\n");
    const rejected = await atlas(folder, ["review", "history", "nobody"]);
    expect(rejected).toMatchObject({ code: 1, stderr: expect.stringContaining("ATLAS_SESSION_NOT_FOUND") });
  });

  test("report rewards and drift as plots and as JSON", async () => {
    const folder = await filled();
    const rewards = await atlas(folder, ["rewards", "report", "--by", "agent"]);
    expect(rewards.stdout).toMatch(/^agent +Sessions +Mean/);
    expect(rewards.stdout).toMatch(/shop +10 +0\.85 .* ███████\S*▁$/m);
    expect(rewards.stdout).toMatch(/^0\.9–1\.0 │█+ 9$/m);
    expect(rewards.stdout).not.toContain("\u001b");
    const drift = await atlas(folder, ["drift", "report"]);
    expect(drift.stdout).toMatch(/score_z │█+ 1/);
    expect(await json(folder, "drift", "report", "--by", "learning-key")).toMatchObject({
      groups: [{ group: "orders", alerts: 1, declines: 1 }],
      alerts: [{ reason: "score_z", direction: "decline" }],
    });
    expect(await json(folder, "rewards", "report", "--since", "7d")).toMatchObject({ sessions: 0 });
    expect(await atlas(folder, ["rewards", "report", "--since", "soon"])).toMatchObject({ code: 2 });
  });

  test("rescore into a branch, and promote it", async () => {
    const folder = await filled();
    writeFileSync(
      join(folder, "rubric.yaml"),
      "rubric:\n  thresholds: { min_samples: 1 }\n  aggregation: min\n",
    );
    const rescored = await atlas(folder, [
      "rewards",
      "rescore",
      "--rubric",
      "rubric.yaml",
      "--branch",
      "least",
    ]);
    expect(rescored).toMatchObject({ code: 0 });
    expect(rescored.stdout).toContain("0 of 10 scores would move");
    expect(rescored.stdout).toContain("`atlas rewards promote least` makes it current.");
    expect(await json(folder, "rewards", "report", "--branch", "least")).toMatchObject({ sessions: 10 });
    expect((await atlas(folder, ["rewards", "promote", "least"])).stdout).toContain("least is current");
    expect((await atlas(folder, ["rebuild", "--derived"])).stdout).toContain("all equal those in the log");
    expect(await atlas(folder, ["rewards", "promote", "most"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("ATLAS_BRANCH_NOT_FOUND"),
    });
    writeFileSync(join(folder, "bad.yaml"), "rubric:\n  agregation: min\n");
    const bad = await atlas(folder, ["rewards", "rescore", "--rubric", "bad.yaml"]);
    expect(bad.stderr).toContain("ATLAS_RUBRIC_INVALID: agregation: is no key of a rubric (bad.yaml:2:3)");
  });
});
