import { expect, test } from "vitest";
import { expectAccountedFor, onlySession, readValues } from "./accounts-for.ts";

const user = (content: string) => ({ role: "user", content });
const said = (content: string) => ({ role: "assistant", content });
const textsOf = (events: ReturnType<typeof readValues>["events"][number]): unknown[] =>
  events
    .filter((event) => event.type === "MessageRecorded")
    .map(({ message }) => (JSON.parse(message) as { content: unknown }).content);

test("completions with their rewards are a group of sessions", () => {
  const row = {
    prompt: [user("2 + 2?")],
    completions: [[said("4")], "5"],
    rewards: [1, null],
    answer: "4",
    prompt_id: 9,
  };
  const { sessions, events } = expectAccountedFor([row], {
    rewards: "judgements",
    prompt_id: "the id of the group",
  });
  expect(events.map(textsOf)).toEqual([
    ["2 + 2?", "4"],
    ["2 + 2?", "5"],
  ]);
  expect(sessions.map(({ started }) => [started?.group_id, started?.rollout, started?.ground_truth])).toEqual(
    [
      ["9", 0, "4"],
      ["9", 1, "4"],
    ],
  );
  expect(sessions.map(({ judgements }) => judgements.map(({ score }) => score))).toEqual([[1], []]);
});

test("what our exports write keeps its columns", () => {
  const row = {
    group_id: "g",
    rollout: 2,
    prompt: [{ ...user("Hi"), tool_calls: null, tool_call_id: null }],
    completion: [{ ...said("Hello"), tool_calls: null, tool_call_id: null }],
    status: "failed",
    ground_truth: "Hello!",
    tools: null,
    session_id: "0199a1b2-0000-7000-8000-000000000000",
    step_id: null,
    learning_key: "greetings",
    reward: 0.5,
  };
  const { sessions } = expectAccountedFor([row], { reward: "the recorded judgement" });
  expect(sessions[0]).toMatchObject({
    status: "failed",
    started: {
      group_id: "g",
      rollout: 2,
      ground_truth: "Hello!",
      learning_key: "greetings",
      external_id: row.session_id,
    },
  });
  const step = onlySession({ ...row, step_id: 3 });
  expect(step.started?.external_id).toBe(`${row.session_id}/step-3`);
});

test("turns of one conversation are one session, also where others stand between them", () => {
  const turn = (session_id: string, prompt: unknown[], answer: string) => ({
    prompt,
    completion: [said(answer)],
    session_id,
    step_id: null,
    learning_key: "k",
    reward: null,
  });
  const first = [user("Hi"), said("Hello"), user("Bye")];
  const { formats, events } = readValues([
    turn("a", [user("Hi")], "Hello"),
    turn("b", [user("Hi")], "Good day"),
    turn("a", first, "See you"),
  ]);
  expect(formats).toEqual(["trl-turns", "trl-turns"]);
  expect(events.map(textsOf)).toEqual([
    ["Hi", "Hello", "Bye", "See you"],
    ["Hi", "Good day"],
  ]);
});

test("what is malformed is told in one sentence", () => {
  const reasonOf = (value: unknown): unknown => readValues([value]).problems;
  expect(reasonOf({ prompt: "Hi", completions: [] })).toEqual(["completions is empty"]);
  expect(reasonOf({ prompt: "Hi", completions: ["x", 7] })).toEqual([
    "completions[1] is neither a text nor messages",
  ]);
});
