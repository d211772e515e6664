import { describe, expect, it } from "vitest";
import { expectAccountedFor, onlySession, readValues } from "./accounts-for.ts";
import { answersOf, linesOf, scoreOf } from "./chat-of.ts";

const POLICY = "# Library agent policy\n\nRenew a loan once only.";
const INSTRUCTION = "You are ada_lo_7. You want the loan of Emma renewed, twice if they let you.";
const wanted = [{ name: "renew_loan", kwargs: { loan_id: "L17", weeks: 2 } }];

const trial = (number: number, reward: unknown, extra: object = {}) => ({
  task_id: 4,
  reward,
  info: {
    task: { user_id: "ada_lo_7", actions: wanted, instruction: INSTRUCTION, outputs: ["14 June"] },
    source: "user",
    user_cost: 0.00125,
    reward_info: { reward, info: { r_actions: 1, gt_data_hash: "b81c" }, actions: wanted },
  },
  traj: [
    { role: "system", content: POLICY },
    { role: "user", content: "Hello, can I keep Emma for longer?" },
    {
      role: "assistant",
      content: null,
      tool_calls: [
        { id: "call_1", type: "function", function: { name: "renew_loan", arguments: '{"loan_id":"L17"}' } },
      ],
    },
    { role: "tool", tool_call_id: "call_1", name: "renew_loan", content: "Error: weeks is missing" },
    { role: "assistant", content: "Renewed until 14 June.", annotations: [] },
    { role: "user", content: "###STOP###" },
  ],
  trial: number,
  ...extra,
});

describe("tau-bench", () => {
  it("keeps everything of its trials", () => {
    const { formats, notes } = expectAccountedFor([trial(0, 1.0), trial(1, 0)]);
    expect(formats).toEqual(["tau-bench", "tau-bench"]);
    expect(notes).toEqual([]);
  });

  it("pairs calls with results, and keeps the reward", () => {
    const session = onlySession(trial(0, 1));
    expect(linesOf(session)).toEqual([
      `system: ${POLICY}`,
      "user: Hello, can I keep Emma for longer?",
      'assistant: renew_loan({"loan_id":"L17"})',
      "tool: Error: weeks is missing",
      "assistant: Renewed until 14 June.",
      "user: ###STOP###",
    ]);
    expect(answersOf(session)).toEqual([["renew_loan", "Error: weeks is missing"]]);
    expect(scoreOf(session)).toBe(1);
    expect(session.started?.executor_system_prompt).toBe(POLICY);
  });

  it("takes the trials of one task for a group, and other tasks of the same number for none", () => {
    const other = trial(0, 0);
    other.info.task.instruction = "You are ada_lo_7. You want to give back Emma.";
    const { sessions } = readValues([trial(0, 1), trial(1, 0), other]);
    const groups = sessions.map(({ started }) => started?.group_id);
    expect(groups[0]).toMatch(/^tau-bench\/4\//);
    expect(groups[1]).toBe(groups[0]);
    expect(groups[2]).not.toBe(groups[0]);
    expect(sessions.map(({ started }) => started?.rollout)).toEqual([0, 1, 0]);
  });

  it("shows no model what the user was told in secret: the task is what the user said", () => {
    const { started } = onlySession(trial(0, 1));
    expect(started?.task).toBe("Hello, can I keep Emma for longer?");
    expect(started?.metadata).toContain(INSTRUCTION);
    expect(JSON.parse(started!.ground_truth!)).toEqual({ actions: wanted, outputs: ["14 June"] });
    expect(started?.ground_truth).not.toContain("twice if they let you");
  });

  it("tells in a sentence why a trial that broke down gives none", () => {
    const broken = trial(0, 0, { traj: [], info: { error: "RateLimitError", traceback: "Traceback …" } });
    const { problems, sessions } = readValues([broken, trial(1, 1)]);
    expect(problems).toEqual([
      "traj is empty: the trial broke down before anything was said, as info.error says",
    ]);
    expect(sessions).toHaveLength(1);
    expect(readValues([{ ...trial(0, 1), traj: [{ content: "x" }] }]).problems).toEqual([
      "traj[0].role is missing",
    ]);
    expect(readValues([{ ...trial(0, 1), traj: "later" }]).problems).toEqual([
      "traj is not a list of messages",
    ]);
  });

  it("keeps what it cannot use, and tells", () => {
    const odd = trial(0, "soon", { trial: 1.5, info: { note: "no task" } });
    const { notes, sessions } = readValues([odd]);
    expect(notes).toEqual([
      "trial is not a whole number: it is kept with the metadata",
      "reward is not a number: it is kept with the metadata",
    ]);
    expect(JSON.parse(sessions[0]!.started!.metadata!)).toMatchObject({ trial: 1.5, reward: "soon" });
    expect(sessions[0]!.started?.group_id).toMatch(/^tau-bench\/4\//);
  });

  it("reads the blocks of Anthropic's agents", () => {
    const blocks = trial(0, 1, {
      traj: [
        { role: "user", content: "Hello" },
        {
          role: "assistant",
          content: [
            { type: "text", text: "One moment." },
            { type: "tool_use", id: "t1", name: "find_loan", input: { title: "Emma" } },
          ],
        },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "t1", content: "L17" }] },
        { role: "assistant", content: "It is L17." },
      ],
    });
    expectAccountedFor([blocks], { type: "the kind of a block is its place in the message" });
    expect(linesOf(onlySession(blocks))).toEqual([
      "user: Hello",
      'assistant: One moment. find_loan({"title":"Emma"})',
      "tool: L17",
      "assistant: It is L17.",
    ]);
  });
});
