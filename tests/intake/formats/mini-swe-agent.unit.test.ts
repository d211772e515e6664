import { describe, expect, test } from "vitest";
import type { EventOf } from "../../../schemas/generated/events.ts";
import { expectAccountedFor, onlySession, readValues } from "./accounts-for.ts";
import { callsOf, conversationsOf } from "./conversations.ts";

const usage = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 };
const INFO = {
  exit_status: "Submitted",
  submission: "diff --git a/x b/x",
  model_stats: { instance_cost: 0.0625, api_calls: 2 },
  mini_version: "1.9.1",
  config: { agent: { step_limit: 40, mode: "yolo" }, model: { model_name: "some/model" } },
};
const MESSAGES = [
  { role: "system", content: "You use a shell." },
  { role: "user", content: "Fix the missing colon.", timestamp: 1_764_000_000.5 },
  {
    role: "assistant",
    content: "I look.\n\n```bash\ncat a.py\n```",
    timestamp: 1_764_000_002,
    extra: { response: { id: "r1", usage }, cost: 0.03125 },
  },
  { role: "user", content: "<returncode>0</returncode>" },
  { role: "assistant", content: "Done.", extra: { response: { id: "r2", usage } } },
];
const trajectory = (info: object = {}, rest: object = {}) => ({
  info: { ...INFO, ...info },
  messages: MESSAGES,
  trajectory_format: "mini-swe-agent-1",
  ...rest,
});

test("a trajectory is a session with its cost, tokens, status and task", () => {
  const value = trajectory({}, { instance_id: "acme__shop-17" });
  const { formats, sessions, events } = expectAccountedFor([value], { timestamp: "the message's time" });
  expect(formats).toEqual(["mini-swe-agent"]);
  expect(sessions[0]).toMatchObject({
    status: "succeeded",
    started: {
      agent: "mini-swe-agent",
      external_id: "acme__shop-17",
      group_id: "acme__shop-17",
      task: "Fix the missing colon.",
    },
  });
  const end = events[0]!.find(({ type }) => type === "SessionEnded") as EventOf<"SessionEnded">;
  expect(end).toMatchObject({ cost: 0.0625, usage: { prompt_tokens: 200, completion_tokens: 40, calls: 2 } });
});

describe("the newer form, with tools", () => {
  const call = { id: "c1", type: "function", function: { name: "bash", arguments: '{"command":"ls"}' } };
  const exit = { role: "exit", content: "diff", extra: { exit_status: "Submitted", submission: "diff" } };

  test("calls and results are paired, and the end of the run is nobody's words", () => {
    const messages = [
      ...MESSAGES.slice(0, 2),
      {
        role: "assistant",
        content: null,
        tool_calls: [call],
        extra: { actions: [{ command: "ls", tool_call_id: "c1" }], cost: 0.5, timestamp: 1_764_000_003 },
      },
      { role: "tool", tool_call_id: "c1", content: "a.py", extra: { raw_output: "a.py", returncode: 0 } },
      exit,
    ];
    const value = { ...trajectory(), messages, trajectory_format: "mini-swe-agent-1.1" };
    const { events } = expectAccountedFor([value], { timestamp: "the message's time" });
    expect(callsOf(conversationsOf(value)[0]!)).toEqual(['bash({"command":"ls"}) → a.py']);
    expect(events[0]!.filter(({ type }) => type === "MessageRecorded")).toHaveLength(4);
  });

  test("answers of the Responses API", () => {
    const messages = [
      ...MESSAGES.slice(0, 2),
      {
        object: "response",
        id: "resp_1",
        output: [
          { type: "reasoning", id: "r1", summary: [{ type: "summary_text", text: "I list." }] },
          { type: "function_call", id: "f1", call_id: "c1", name: "bash", arguments: '{"command":"ls"}' },
        ],
        usage: { input_tokens: 9, output_tokens: 3 },
        extra: { cost: 0.125 },
      },
      { type: "function_call_output", call_id: "c1", output: "a.py", extra: { returncode: 0 } },
    ];
    const value = { ...trajectory(), messages };
    expectAccountedFor([value], {
      timestamp: "the message's time",
      type: "OpenAI's shape",
      object: "what it is",
    });
    const [conversation] = conversationsOf(value);
    expect(callsOf(conversation!)).toEqual(['bash({"command":"ls"}) → a.py']);
    expect(conversation!.messages[2]).toMatchObject({ usage: { prompt: 9, completion: 3 }, cost: 0.125 });
  });
});

test.each([
  ["Submitted", "succeeded", null],
  ["LimitsExceeded", "failed", "LimitsExceeded"],
  ["RuntimeError", "failed", "RuntimeError"],
  ["UserInterruption", "cancelled", null],
  [null, "succeeded", null],
])("%s is %s", (exit_status, status, error) => {
  expect(onlySession(trajectory({ exit_status }))).toMatchObject({ status, error });
});

test("what is missing is left out, and what is no conversation says so", () => {
  expect(
    onlySession({ info: null, messages: MESSAGES, trajectory_format: "mini-swe-agent-1" }),
  ).toMatchObject({
    status: "succeeded",
  });
  const broken = (messages: unknown[]) => readValues([{ ...trajectory(), messages }]).problems;
  expect(broken([])).toEqual(["messages is empty"]);
  expect(broken([MESSAGES[0], 5])).toEqual(["messages[1] is not an object"]);
  expect(broken([MESSAGES[0], { role: "wizard", content: "x" }])[0]).toContain(
    "messages[1].role is not one of",
  );
});
