import { describe, expect, it } from "vitest";
import { expectAccountedFor, onlySession, readValues } from "./accounts-for.ts";
import { answersOf, chatOf, linesOf, metadataOf, scoreOf } from "./chat-of.ts";

const node = (parent: number | null, message: object, extra: object = {}) => ({
  parent,
  message,
  sampled: false,
  token_ids: [],
  mask: [],
  ...extra,
});

const call = (place: number | null, end: number, extra: object = {}) => ({
  node: place,
  model: "model-x",
  endpoint: "/chat/completions",
  finish_reason: "stop",
  usage: { prompt_tokens: 50, completion_tokens: 9 },
  time: { start: end - 0.5, end },
  error: null,
  ...extra,
});

const START = 1785487387.5;

const trace = (extra: object = {}) => ({
  version: 1,
  id: "9f3c",
  verifiers: { version: "0.2.0", commit: null },
  task: { type: "AddTask", data: { question: "Add 1 to 5.", answer: "15" }, key: "add-3", hash: "ab12" },
  agent: { config: { harness: "default" }, name: "solver", trainable: true },
  tools: [{ name: "python", description: "Runs code.", parameters: { type: "object" } }],
  nodes: [
    node(null, { role: "system", content: "Be brief." }),
    node(0, { role: "user", content: "Add 1 to 5." }),
    node(
      1,
      {
        role: "assistant",
        content: null,
        reasoning_content: "I add.",
        tool_calls: [{ id: "c1", name: "python", arguments: '{"code":"15"}' }],
      },
      { sampled: true, token_ids: [5, 6], mask: [false, true], logprobs: [-0.125] },
    ),
    node(2, { role: "tool", tool_call_id: "c1", content: "15", name: "python" }),
    node(3, { role: "assistant", content: "It is 15." }, { sampled: true }),
  ],
  calls: [
    call(2, START + 1),
    call(null, START + 1.5, { error: { type: "RateLimit", message: "later" } }),
    call(4, START + 2),
  ],
  rewards: { correct: { score: 0.5, weight: 1.5 }, style: null },
  metrics: { turns: 2 },
  info: {},
  is_completed: true,
  ok: true,
  stop_condition: "agent_completed",
  errors: [] as object[],
  timing: { start: START, agent: { start: START, end: START + 3 }, scoring: { start: 0, end: 0 } },
  ...extra,
});

describe("verifiers-trace", () => {
  it("keeps everything of its traces", () => {
    const { formats, notes } = expectAccountedFor([trace()], { parent: "the order of the messages" });
    expect(formats).toEqual(["verifiers-trace"]);
    expect(notes).toEqual([]);
  });

  it("is the way from the root to the leaf, with what each call took", () => {
    const session = onlySession(trace());
    expect(linesOf(session)).toEqual([
      "system: Be brief.",
      "user: Add 1 to 5.",
      'assistant: python({"code":"15"})',
      "tool: 15",
      "assistant: It is 15.",
    ]);
    expect(answersOf(session)).toEqual([["python", "15"]]);
    expect(chatOf(session)[2]).toMatchObject({ reasoning_content: "I add.", node: { token_ids: [5, 6] } });
    expect(session.usage).toMatchObject({ prompt_tokens: 100, completion_tokens: 18 });
    expect(session.steps[0]?.started_at).toBe(Math.round((START + 1) * 1e6));
    expect(session.started).toMatchObject({
      external_id: "9f3c",
      group_id: "AddTask/add-3",
      ground_truth: "15",
      agent: "model-x",
      tools_source: "declared",
    });
    expect(scoreOf(session)).toBe(0.75);
    expect(session.duration_us).toBe(3_000_000);
    expect(metadataOf(session).calls).toMatchObject([{ error: { type: "RateLimit" } }]);
  });

  it("takes each branch for a conversation", () => {
    const { nodes } = trace();
    const branched = trace({
      nodes: [...nodes, node(1, { role: "assistant", content: "15, I guess." }, { sampled: true })],
    });
    const { sessions } = expectAccountedFor([branched], { parent: "the order of the messages" });
    expect(sessions.map((session) => linesOf(session).at(-1))).toEqual([
      "assistant: It is 15.",
      "assistant: 15, I guess.",
    ]);
    expect(sessions.map(({ started }) => started?.external_id)).toEqual(["9f3c#0", "9f3c#1"]);
    expect(new Set(sessions.map(({ session_id }) => session_id)).size).toBe(2);
  });

  it("keeps calls that belong to no message", () => {
    const odd = trace({ calls: ["lost", call(9, START)] });
    expectAccountedFor([odd], { parent: "the order of the messages" });
    expect(metadataOf(onlySession(odd)).calls).toHaveLength(2);
  });

  it("knows what was not scored, and what went wrong", () => {
    const errors = [{ type: "SandboxError", message: "gone" }];
    const lost = onlySession(trace({ rewards: { correct: null }, ok: false, errors }));
    expect(scoreOf(lost)).toBeUndefined();
    expect(lost).toMatchObject({ status: "failed", error: "SandboxError: gone" });
    expect(onlySession(trace({ stop_condition: "max_turns" }))).toMatchObject({
      status: "failed",
      error: "cut off by max_turns",
    });
  });

  it("takes tools that are told with the first message", () => {
    const { nodes, tools, ...rest } = trace();
    const told = { ...rest, nodes: nodes.map((each, index) => (index === 0 ? { ...each, tools } : each)) };
    expectAccountedFor([told], { parent: "the order of the messages" });
    expect(onlySession(told).started?.tools_source).toBe("declared");
  });

  it("takes the traces of an episode, in the group that it was run in", () => {
    const { task } = trace();
    const episode = (traces: object[], extra: object = {}) => ({
      id: "episode-1",
      env: { id: "add-env", name: "add" },
      task,
      group: { id: "group-7" },
      run: { type: "train", work: { step: 4 } },
      ok: true,
      errors: [] as object[],
      traces,
      ...extra,
    });
    const values = [episode([trace(), trace({ id: "b1", nodes: [] })])];
    const { formats, notes, sessions } = readValues(values);
    expect(formats).toEqual(["verifiers-trace"]);
    expect(notes).toEqual(["traces[1]: nodes is empty: nothing was said: it is left out"]);
    expect(sessions[0]?.started?.group_id).toBe("add-env/group-7");
    expect(metadataOf(sessions[0]!)).toMatchObject({
      episode: { id: "episode-1", run: { work: { step: 4 } } },
    });
    expectAccountedFor([episode([trace(), trace({ id: "b2" })])], { parent: "the order of the messages" });
    const broken = [episode([], { errors: [{ type: "TimeoutError", message: "gone" }] }), episode([])];
    expect(readValues(broken).problems).toEqual([
      "traces is empty: the episode broke down, as errors says",
      "traces is empty: nothing was recorded",
    ]);
  });

  it("says in a sentence why there is no conversation", () => {
    const values = [
      trace({ nodes: [] }),
      trace({ nodes: [node(null, { content: "?" })] }),
      trace({ nodes: ["?"] }),
    ];
    expect(values.map((value) => readValues([value]).problems)).toEqual([
      ["nodes is empty: nothing was said"],
      ["nodes[0].message.role is missing"],
      ["nodes is not a list of objects"],
    ]);
  });
});
