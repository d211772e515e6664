import { expect, test } from "vitest";
import { expectAccountedFor, onlySession, readValues } from "./accounts-for.ts";

const user = (content: string) => ({ role: "user", content });
const said = (content: string) => ({ role: "assistant", content });
const textsOf = (events: ReturnType<typeof readValues>["events"][number]): unknown[] =>
  events
    .filter((event) => event.type === "MessageRecorded")
    .map(({ message }) => (JSON.parse(message) as { content: unknown }).content);

const tools = [
  { type: "function", function: { name: "look", parameters: { type: "object", properties: {} } } },
];

test("a preference is two sessions of one group, and the rejected one is tagged", () => {
  const pair = {
    id: "p1",
    prompt: [user("Where is Oslo?")],
    chosen: [said("In Norway.")],
    rejected: [said("In Sweden.")],
    tools: JSON.stringify(tools),
    reward: 0.5,
    margin: 2.5,
  };
  const { formats, sessions, events, notes } = expectAccountedFor([pair]);
  expect(formats).toEqual(["trl", "trl"]);
  expect(events.map(textsOf)).toEqual([
    ["Where is Oslo?", "In Norway."],
    ["Where is Oslo?", "In Sweden."],
  ]);
  expect(sessions.map(({ started }) => [started?.group_id, started?.rollout, started?.external_id])).toEqual([
    ["p1", 0, "p1/chosen"],
    ["p1", 1, "p1/rejected"],
  ]);
  expect(sessions.map(({ started }) => started?.tags)).toEqual([[], ["rejected"]]);
  const judged = sessions.map(({ judgements }) => judgements.map(({ judge, score }) => [judge, score]));
  expect(judged).toEqual([[["preference", 1]], [["preference", 0]]]);
  expect(JSON.parse(sessions[0]!.started!.tools!)).toEqual(tools);
  expect(notes).toEqual([expect.stringContaining("tagged rejected")]);
});

test("preferences in other words: texts, whole conversations, scores of their own", () => {
  const { events, sessions } = expectAccountedFor(
    [
      { prompt: "Hi", chosen: "Hello", rejected: "Go away", score_chosen: 0.9, score_rejected: 0.2 },
      { chosen: [user("Hi"), said("Hello")], rejected: [user("Hi"), said("No")] },
      { prompt: "Hi", chosen: [user("Hi"), said("Hello")], rejected: [user("Hi"), said("No")] },
    ],
    { score_chosen: "the reward", score_rejected: "the reward" },
  );
  expect(events.map(textsOf)).toEqual([
    ["Hi", "Hello"],
    ["Hi", "Go away"],
    ["Hi", "Hello"],
    ["Hi", "No"],
    ["Hi", "Hello"],
    ["Hi", "No"],
  ]);
  expect(sessions.slice(0, 2).map(({ judgements }) => judgements[0]?.score)).toEqual([0.9, 0.2]);
  expect(new Set(sessions.map(({ started }) => started?.group_id))).toEqual(new Set(["Hi"]));
});

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

test("a label is a score", () => {
  const session = onlySession({ prompt: "Hi", completion: "Hello", label: false });
  expect(session.judgements).toMatchObject([{ judge: "label", score: 0 }]);
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
  expect(reasonOf({ prompt: "Hi", chosen: 7, rejected: "x" })).toEqual([
    "chosen is neither a text nor messages",
  ]);
  expect(reasonOf({ prompt: 7, chosen: "x", rejected: "x" })).toEqual([
    "prompt is neither a text nor messages",
  ]);
  expect(reasonOf({ prompt: "Hi", completions: [] })).toEqual(["completions is empty"]);
  expect(reasonOf({ prompt: "Hi", completions: ["x", 7] })).toEqual([
    "completions[1] is neither a text nor messages",
  ]);
});
