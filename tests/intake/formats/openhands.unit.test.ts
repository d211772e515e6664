import { describe, expect, it } from "vitest";
import { expectAccountedFor, onlySession, readValues } from "./accounts-for.ts";
import { answersOf, chatOf, linesOf, metadataOf } from "./chat-of.ts";

const at = (second: number) => `2025-04-01T09:00:${String(second).padStart(2, "0")}.500000`;

const reply = (id: string, content: string | null, calls: [id: string, name: string, args: object][]) => ({
  id,
  created: 1743498000,
  model: "model-x",
  object: "chat.completion",
  choices: [
    {
      finish_reason: "tool_calls",
      index: 0,
      message: {
        role: "assistant",
        content,
        tool_calls: calls.map(([call, name, args]) => ({
          id: call,
          type: "function",
          function: { name, arguments: JSON.stringify(args) },
        })),
      },
    },
  ],
  usage: {
    prompt_tokens: 300,
    completion_tokens: 25,
    total_tokens: 325,
    prompt_tokens_details: { cached_tokens: 200 },
  },
});

const of = (name: string, call: string, model_response: object) => ({
  function_name: name,
  tool_call_id: call,
  model_response,
  total_calls_in_response: 2,
});

const TOOL = {
  type: "function",
  function: { name: "execute_bash", parameters: { type: "object", properties: {} } },
};
const FIRST = reply("r1", "I look around.", [
  ["c1", "execute_bash", { command: "ls" }],
  ["c2", "str_replace_editor", { command: "view", path: "/a.py" }],
]);
const LAST = reply("r2", null, [["c3", "finish", { message: "The bug is fixed." }]]);

const events = (): Record<string, unknown>[] => [
  {
    id: 0,
    timestamp: at(0),
    source: "agent",
    message: "You fix bugs.",
    action: "system",
    args: { content: "You fix bugs.", tools: [TOOL], agent_class: "CodeActAgent" },
  },
  {
    id: 1,
    timestamp: at(1),
    source: "user",
    message: "Fix the bug.",
    action: "message",
    args: { content: "Fix the bug.", image_urls: ["data:image/png;base64,AAAA"], wait_for_response: false },
    timeout: 120,
  },
  {
    id: 2,
    timestamp: at(1),
    source: "environment",
    message: "",
    observation: "agent_state_changed",
    content: "",
    extras: { agent_state: "running", reason: "" },
  },
  {
    id: 3,
    timestamp: at(2),
    source: "agent",
    message: "Running command: ls",
    action: "run",
    tool_call_metadata: of("execute_bash", "c1", FIRST),
    args: { command: "ls", thought: "I look around.", blocking: false, confirmation_state: "confirmed" },
  },
  {
    id: 4,
    timestamp: at(3),
    source: "agent",
    message: "Command `ls` executed with exit code 0.",
    cause: 3,
    observation: "run",
    tool_call_metadata: of("execute_bash", "c1", FIRST),
    content: "a.py",
    extras: { command: "ls", metadata: { exit_code: 0, working_dir: "/workspace" } },
    success: true,
  },
  {
    id: 5,
    timestamp: at(4),
    source: "agent",
    message: "Reading file: /a.py",
    action: "read",
    tool_call_metadata: of("str_replace_editor", "c2", FIRST),
    args: { path: "/a.py", start: 0, thought: "" },
    llm_metrics: { accumulated_cost: 0.0625 },
  },
  {
    id: 6,
    timestamp: at(5),
    source: "agent",
    message: "File not found",
    cause: 5,
    observation: "error",
    tool_call_metadata: of("str_replace_editor", "c2", FIRST),
    content: "File not found",
    extras: { error_id: "READ" },
  },
  {
    id: 7,
    timestamp: at(6),
    source: "agent",
    message: "All done! What's next on the agenda?",
    action: "finish",
    tool_call_metadata: of("finish", "c3", LAST),
    args: { final_thought: "The bug is fixed.", outputs: {}, thought: "" },
  },
];

describe("openhands", () => {
  it("keeps everything of a saved trajectory", () => {
    const { formats, notes } = expectAccountedFor(events(), { url: "of an image" });
    expect(formats).toEqual(["openhands"]);
    expect(notes).toEqual([]);
  });

  it("makes calls of actions, and pairs them with what was observed", () => {
    const session = onlySession(...events());
    expect(linesOf(session)).toEqual([
      "system: You fix bugs.",
      "user: Fix the bug.",
      'assistant: I look around. execute_bash({"command":"ls"}) str_replace_editor({"command":"view","path":"/a.py"})',
      "tool: a.py",
      "tool: File not found",
      'assistant: finish({"message":"The bug is fixed."})',
    ]);
    expect(answersOf(session)).toEqual([
      ["execute_bash", "a.py"],
      ["str_replace_editor", "File not found"],
      ["finish", "no result recorded"],
    ]);
    expect(chatOf(session)[1]?.content).toMatchObject([
      { type: "text", text: "Fix the bug." },
      { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
    ]);
    expect(JSON.parse(session.started!.tools!)).toEqual([TOOL]);
  });

  it("knows when it was, who it was and what it took", () => {
    const session = onlySession(...events());
    expect(session.created_at).toBe(Date.parse("2025-04-01T09:00:00.500Z") * 1000);
    expect(session.duration_us).toBe(6_000_000);
    expect(session.started).toMatchObject({ task: "Fix the bug.", agent: "model-x" });
    expect(session).toMatchObject({ status: "succeeded", cost: 0.0625 });
    expect(session.usage).toMatchObject({ prompt_tokens: 600, completion_tokens: 50, cached_tokens: 400 });
    expect(metadataOf(session).events).toMatchObject([{ observation: "agent_state_changed" }]);
  });

  it("goes on after the agent said that it had finished", () => {
    const more = [
      ...events(),
      {
        id: 8,
        timestamp: at(9),
        source: "user",
        action: "message",
        args: { content: "Thanks. And the tests?" },
      },
      { id: 9, timestamp: at(10), source: "agent", action: "message", args: { content: "They pass." } },
      { id: 10, timestamp: at(11), source: "user", action: "run", args: { command: "git push" } },
      { id: 11, timestamp: at(12), source: "user", cause: 10, observation: "run", content: "rejected" },
      {
        id: 12,
        timestamp: at(13),
        source: "environment",
        observation: "agent_state_changed",
        content: "",
        extras: { agent_state: "error", reason: "the budget is used up" },
      },
    ];
    expectAccountedFor(more, { url: "of an image" });
    const session = onlySession(...more);
    expect(linesOf(session).slice(5)).toEqual([
      "assistant: The bug is fixed.",
      "user: Thanks. And the tests?",
      "assistant: They pass.",
      "user: User executed the command:\ngit push",
      "user: rejected",
    ]);
    expect(chatOf(session)[5]?.finished_by).toMatchObject([{ function: { name: "finish" } }]);
    expect(session).toMatchObject({ status: "failed", error: "the budget is used up" });
  });

  it("takes an export with its list of events, and one conversation after another", () => {
    expect(onlySession({ trajectory: events() }).started?.task).toBe("Fix the bug.");
    expect(readValues([...events(), ...events()]).sessions).toHaveLength(2);
  });

  it("makes a call of an action whose words were not recorded", () => {
    const plain = events().map(({ tool_call_metadata: _metadata, ...event }) => event);
    expectAccountedFor(plain, { url: "of an image" });
    expect(answersOf(onlySession(...plain))).toEqual([
      ["run", "a.py"],
      ["read", "File not found"],
      ["finish", "no result recorded"],
    ]);
  });

  it("keeps what has not the shape that it should have", () => {
    const odd = [
      { id: 0, source: "user", action: "message", args: { content: "Look.", image_urls: { a: "here" } } },
      { id: 1, source: "agent", action: "message", args: ["words"], content: "Done." },
      { id: 2, source: "agent", action: "message", args: { content: ["More."] } },
    ];
    expectAccountedFor(odd);
    expect(linesOf(onlySession(...odd)).slice(0, 2)).toEqual(["user: Look.", "assistant: Done."]);
  });

  it("says in a sentence why there is no conversation", () => {
    const [, , changed] = events();
    expect(readValues([changed]).problems).toEqual(["there is nothing said in these events"]);
  });
});

const sdkEvents = () => [
  {
    id: "e0",
    kind: "SystemPromptEvent",
    source: "agent",
    timestamp: at(0),
    system_prompt: { type: "text", text: "You fix bugs." },
    tools: [TOOL],
  },
  {
    id: "e1",
    kind: "MessageEvent",
    source: "user",
    timestamp: at(1),
    llm_message: { role: "user", content: [{ type: "text", text: "Fix the bug." }], tool_calls: null },
    activated_skills: ["git"],
  },
  {
    id: "e2",
    kind: "ActionEvent",
    source: "agent",
    timestamp: at(2),
    thought: [{ type: "text", text: "I look around." }],
    reasoning_content: "Where is it?",
    action: { kind: "ExecuteBashAction", command: "ls" },
    tool_name: "execute_bash",
    tool_call_id: "c1",
    tool_call: { id: "c1", name: "execute_bash", arguments: '{"command":"ls"}', origin: "completion" },
    llm_response_id: "r1",
    security_risk: "LOW",
  },
  {
    id: "e3",
    kind: "ActionEvent",
    source: "agent",
    timestamp: at(2),
    thought: [],
    action: null,
    tool_name: "view",
    tool_call_id: "c2",
    tool_call: { id: "c2", name: "view", arguments: '{"path":"/a.py"}', origin: "completion" },
    llm_response_id: "r1",
  },
  {
    id: "e4",
    kind: "ObservationEvent",
    source: "environment",
    timestamp: at(3),
    observation: { kind: "ExecuteBashObservation", content: [{ type: "text", text: "a.py" }], exit_code: 0 },
    action_id: "e2",
    tool_name: "execute_bash",
    tool_call_id: "c1",
  },
  {
    id: "e5",
    kind: "AgentErrorEvent",
    source: "agent",
    timestamp: at(4),
    error: "File not found",
    tool_name: "view",
    tool_call_id: "c2",
  },
  {
    id: "e6",
    kind: "MessageEvent",
    source: "agent",
    timestamp: at(5),
    llm_message: { role: "assistant", content: [{ type: "text", text: "It is not there." }] },
  },
  {
    id: "e7",
    kind: "ConversationStateUpdateEvent",
    source: "environment",
    timestamp: at(6),
    key: "agent_status",
  },
];

describe("events of the software agent SDK", () => {
  it("are kept as a conversation", () => {
    expectAccountedFor(sdkEvents(), { type: "the kind of a part is its place in the message" });
    const session = onlySession(...sdkEvents());
    expect(linesOf(session)).toEqual([
      "system: You fix bugs.",
      "user: Fix the bug.",
      'assistant: I look around. execute_bash({"command":"ls"}) view({"path":"/a.py"})',
      "tool: a.py",
      "tool: File not found",
      "assistant: It is not there.",
    ]);
    expect(answersOf(session)).toEqual([
      ["execute_bash", "a.py"],
      ["view", "File not found"],
    ]);
    expect(chatOf(session)[2]?.reasoning_content).toBe("Where is it?");
    expect(JSON.parse(session.started!.tools!)).toEqual([TOOL]);
    expect(metadataOf(session).events).toMatchObject([{ key: "agent_status" }]);
  });

  it("are read where they say less", () => {
    const events = [
      {
        kind: "MessageEvent",
        source: "user",
        llm_message: {
          content: [
            { type: "text", text: "Look." },
            { type: "image", image_urls: ["data:image/png;base64,AA"] },
          ],
        },
      },
      {
        id: "a",
        kind: "ActionEvent",
        tool_name: "terminal",
        action: { kind: "TerminalAction", command: "ls" },
      },
      { kind: "ObservationEvent", source: "environment", action_id: "a", observation: { output: "a.py" } },
      { id: "b", kind: "ActionEvent", tool_name: "finish", action: { message: "A file." } },
    ];
    expectAccountedFor(events, { kind: "the name of the tool", type: "the kind of a part" });
    const session = onlySession(...events);
    expect(answersOf(session)).toEqual([
      ["terminal", "a.py"],
      ["finish", "no result recorded"],
    ]);
    expect(chatOf(session)[0]).toMatchObject({
      role: "user",
      content: [{ type: "text" }, { type: "image_url", image_url: { url: "data:image/png;base64,AA" } }],
    });
  });
});
