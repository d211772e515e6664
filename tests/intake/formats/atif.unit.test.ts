import { expect, test } from "vitest";
import { expectAccountedFor, onlySession, readValues } from "./accounts-for.ts";

const micros = (iso: string): number => Date.parse(iso) * 1000;
const chatOf = (events: ReturnType<typeof readValues>["events"][number]) =>
  events
    .filter((event) => event.type === "MessageRecorded")
    .map(({ message }) => JSON.parse(message) as object);

const scout = {
  schema_version: "ATIF-v1.8",
  trajectory_id: "scout",
  agent: { name: "scout", version: "2" },
  steps: [
    { step_id: 1, source: "system", message: "Find the file.", is_copied_context: true },
    { step_id: 2, source: "agent", message: "It is in src." },
  ],
};

const trajectory = {
  schema_version: "ATIF-v1.8",
  session_id: "run-9",
  trajectory_id: "t-1",
  agent: {
    name: "harbor-agent",
    version: "1.4.0",
    model_name: "model-x",
    tool_definitions: [
      {
        type: "function",
        function: { name: "shell", parameters: { type: "object", properties: { cmd: { type: "string" } } } },
      },
    ],
    extra: { mode: "fast" },
  },
  notes: "One run of a nightly job.",
  steps: [
    { step_id: 1, source: "system", message: "You fix builds.", timestamp: "2026-03-01T08:00:00Z" },
    {
      step_id: 2,
      source: "user",
      message: [
        { type: "text", text: "Why does it fail?" },
        { type: "image", source: { media_type: "image/png", path: "images/log.png" } },
      ],
      timestamp: "2026-03-01T08:00:01Z",
    },
    {
      step_id: 3,
      source: "agent",
      model_name: "model-y",
      reasoning_effort: "high",
      reasoning_content: "Two things to look at.",
      message: "I look.",
      timestamp: "2026-03-01T08:00:05Z",
      tool_calls: [
        { tool_call_id: "a", function_name: "shell", arguments: { cmd: "make" }, extra: { risk: "low" } },
        { tool_call_id: "b", function_name: "delegate", arguments: {} },
      ],
      observation: {
        results: [
          { source_call_id: "b", subagent_trajectory_ref: [{ trajectory_id: "scout" }] },
          { source_call_id: "a", content: "no rule", extra: { exit: 2 } },
          { source_call_id: "a", content: "stop" },
        ],
      },
      metrics: {
        prompt_tokens: 120,
        completion_tokens: 30,
        cached_tokens: 100,
        cost_usd: 0.004,
        completion_token_ids: [11, 12],
        logprobs: [-0.5, -0.25],
        extra: { reasoning_tokens: 9, queue_ms: 44 },
      },
      llm_call_count: 1,
    },
    {
      step_id: 4,
      source: "agent",
      message: "ls\n",
      timestamp: "2026-03-01T08:00:07Z",
      observation: { results: [{ content: "Makefile" }] },
    },
    {
      step_id: 5,
      source: "system",
      message: "The context was cut.",
      observation: { results: [{ content: "kept 3 steps" }] },
    },
    { step_id: 6, source: "agent", message: "There is no rule for it.", extra: { note: "final" } },
  ],
  final_metrics: {
    total_prompt_tokens: 400,
    total_completion_tokens: 70,
    total_cached_tokens: 300,
    total_cost_usd: 0.01,
    total_steps: 6,
    extra: { retries: 1 },
  },
  continued_trajectory_ref: "next.json",
  extra: { atlas: { reward: 0.75, group_id: "builds/7", rollout: 3, weight: 2 }, host: "ci" },
  subagent_trajectories: [scout],
};

test("nothing of a trajectory is dropped", () => {
  const { formats, notes } = expectAccountedFor([trajectory], {
    tool_call_id: "the id of a call",
    function_name: "the name of a call",
    prompt_tokens: "usage",
    completion_tokens: "usage",
    cached_tokens: "usage",
    cost_usd: "the cost of a call",
    reasoning_tokens: "usage",
    total_prompt_tokens: "usage",
    total_completion_tokens: "usage",
    total_cached_tokens: "usage",
    total_cost_usd: "the cost",
    reward: "the recorded judgement",
    path: "the address of an image",
    source: "the role of a message",
    schema_version: "in the metadata",
    timestamp: "times of messages",
  });
  expect(formats).toEqual(["atif", "atif"]);
  expect(notes).toEqual([expect.stringMatching(/^steps that are copied from another trajectory stay/)]);
});

test("steps are chat: calls with their results, and what the environment said", () => {
  const { events } = readValues([trajectory]);
  expect(chatOf(events[0]!)).toEqual([
    { role: "system", content: "You fix builds.", step_id: 1 },
    {
      role: "user",
      content: [
        { type: "text", text: "Why does it fail?" },
        { type: "image_url", image_url: { url: "images/log.png" }, media_type: "image/png" },
      ],
      step_id: 2,
    },
    {
      role: "assistant",
      content: "I look.",
      reasoning_content: "Two things to look at.",
      tool_calls: [
        {
          id: "a",
          type: "function",
          function: { name: "shell", arguments: '{"cmd":"make"}' },
          extra: { risk: "low" },
        },
        { id: "b", type: "function", function: { name: "delegate", arguments: "{}" } },
      ],
      step_id: 3,
      model_name: "model-y",
      reasoning_effort: "high",
      llm_call_count: 1,
      metrics: { completion_token_ids: [11, 12], logprobs: [-0.5, -0.25], extra: { queue_ms: 44 } },
    },
    { role: "tool", tool_call_id: "b", content: "", subagent_trajectory_ref: [{ trajectory_id: "scout" }] },
    { role: "tool", tool_call_id: "a", content: "no rule\nstop", extra: { exit: 2 } },
    { role: "assistant", content: "ls\n", step_id: 4 },
    { role: "user", content: "Makefile" },
    { role: "system", content: "The context was cut.", step_id: 5 },
    { role: "system", content: "kept 3 steps" },
    { role: "assistant", content: "There is no rule for it.", step_id: 6, extra: { note: "final" } },
  ]);
  const ended = events[0]!.filter(({ type }) => type === "ToolCallEnded");
  expect(ended).toMatchObject([{ call_id: "b" }, { call_id: "a", output: "no rule\nstop" }]);
});

test("reward, usage, cost, times, tools and names have their places", () => {
  const { sessions, events } = readValues([trajectory]);
  const [session] = sessions;
  expect(session!.judgements).toMatchObject([{ judge: "recorded", score: 0.75 }]);
  expect(session!.usage).toMatchObject({ prompt_tokens: 400, completion_tokens: 70, cached_tokens: 300 });
  expect(session!.cost).toBe(0.01);
  expect(session!.steps[0]!.attempts[0]!.usage).toMatchObject({
    prompt_tokens: 120,
    completion_tokens: 30,
    cached_tokens: 100,
    reasoning_tokens: 9,
  });
  expect(session!.started).toMatchObject({
    external_id: "t-1",
    agent: "harbor-agent",
    task: "Why does it fail?",
    group_id: "builds/7",
    rollout: 3,
    tools_source: "declared",
  });
  const [first, , third] = events[0]!.filter(({ type }) => type === "MessageRecorded");
  expect(first!.meta.occurred_at).toBe(micros("2026-03-01T08:00:00Z"));
  expect(third!.meta.occurred_at).toBe(micros("2026-03-01T08:00:05Z"));
  expect(JSON.parse(session!.started!.metadata!)).toMatchObject({
    session_id: "run-9",
    agent: { version: "1.4.0", model_name: "model-x", extra: { mode: "fast" } },
    extra: { atlas: { weight: 2 }, host: "ci" },
    final_metrics: { total_steps: 6, extra: { retries: 1 } },
    subagents: ["scout"],
  });
});

test("a sub-agent is a session of its own, linked to the call that started it", () => {
  const { sessions } = readValues([trajectory]);
  const sub = sessions[1]!.started!;
  expect(sub).toMatchObject({ external_id: "t-1/scout", agent: "scout", task: "Find the file." });
  expect(sub.tags).toEqual(["subagent", "copied-context"]);
  expect(JSON.parse(sub.metadata!)).toMatchObject({ subagent_of: { trajectory: "t-1", call: "b" } });
  const { subagent_trajectories: _, ...alone } = trajectory;
  expect(onlySession(alone).session_id).toBe(sessions[0]!.session_id);
});

test("the first version: no ids of calls in the results, and nothing optional", () => {
  const steps = [
    { step_id: 1, source: "user", message: "Which day is it?" },
    {
      step_id: 2,
      source: "agent",
      message: "",
      tool_calls: [
        { tool_call_id: "1", function_name: "clock", arguments: '{"zone":"UTC"}' },
        { tool_call_id: "2", function_name: "clock", arguments: {} },
      ],
      observation: { results: [{ content: "Monday" }, { content: null }] },
      metrics: null,
    },
    { step_id: 3, source: "agent", message: "Monday." },
  ];
  const session = { schema_version: "ATIF-v1.0", session_id: "s", agent: { name: "a", version: "1" }, steps };
  const { events, sessions } = expectAccountedFor([session], {
    source: "roles",
    tool_call_id: "ids",
    function_name: "names",
  });
  expect(chatOf(events[0]!).slice(1, 4)).toMatchObject([
    { tool_calls: [{ id: "1", function: { arguments: '{"zone":"UTC"}' } }, { id: "2" }] },
    { role: "tool", tool_call_id: "1", content: "Monday" },
    { role: "tool", tool_call_id: "2", content: "" },
  ]);
  expect(sessions[0]!.usage).toBeNull();
  expect(sessions[0]!.started?.external_id).toBe("s");
});

test("a result that answers no call and says nothing is no turn of the user", () => {
  const steps = [
    { step_id: 1, source: "user", message: "Look around." },
    {
      step_id: 2,
      source: "agent",
      message: "I look.",
      observation: { results: [{ content: "A door." }, { content: null }] },
    },
  ];
  const { events } = readValues([{ schema_version: "ATIF-v1.7", agent: { name: "a", version: "1" }, steps }]);
  expect(chatOf(events[0]!).slice(2)).toEqual([{ role: "user", content: "A door." }]);
});

test("what is malformed is told, and costs no more than it has to", () => {
  const reasonsOf = (value: unknown): string[] => readValues([value]).problems;
  expect(reasonsOf({ schema_version: "ATIF-v1.6" })).toEqual(["steps is missing, or is no list"]);
  expect(reasonsOf({ schema_version: "ATIF-v1.6", steps: [] })).toEqual([
    "steps holds no step of system, user or agent",
  ]);
  const odd = {
    schema_version: "ATIF-v1.9",
    agent: "plain",
    steps: [
      7,
      { step_id: 1, source: "user", message: "Hi", timestamp: "yesterday" },
      { source: "weather", message: "rain" },
      { source: "agent", message: "Hello", tool_calls: [{ no: "name" }] },
      { source: "agent", message: "Hello" },
    ],
    subagent_trajectories: [9],
  };
  const { notes, sessions } = expectAccountedFor([odd], { "0": "told", source: "roles" });
  expect(notes).toEqual([
    "steps[0] is not an object: the step is kept with the metadata",
    "steps[1].timestamp is no time between 1970 and 2254: it is kept, and not used",
    "steps[2].source is none of system, user and agent: the step is kept with the metadata",
    "steps[3].tool_calls[0].function is not an object: the step is kept with the metadata",
    "subagent_trajectories[0] is left out: it is no object",
  ]);
  expect(sessions[0]!.final_answer).toBe("Hello");
});
