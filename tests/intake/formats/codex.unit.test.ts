import { describe, expect, test } from "vitest";
import { expectAccountedFor, readValues } from "./accounts-for.ts";
import { chatLines, messagesOf, metadataOf, taskOf } from "./chat-lines.ts";

type Json = Record<string, unknown>;

const ELSEWHERE = {
  timestamp: "the time of a message",
  type: "what a line is: a message, a call, a result",
  summary_text: "a thought",
};

let seconds = 0;
const line = (type: string, payload: Json): Json => ({
  timestamp: new Date(Date.UTC(2026, 2, 1, 9, 0, seconds++)).toISOString(),
  type,
  payload,
});
const item = (type: string, fields: Json) => line("response_item", { type, ...fields });
const told = (type: string, fields: Json) => line("event_msg", { type, ...fields });
const user = (text: string) => item("message", { role: "user", content: [{ type: "input_text", text }] });
const says = (text: string) =>
  item("message", { role: "assistant", content: [{ type: "output_text", text }] });
const thinks = (text: string, more: Json = {}) =>
  item("reasoning", {
    summary: [{ type: "summary_text", text }],
    content: null,
    encrypted_content: null,
    ...more,
  });
const calls = (call_id: string, args: Json) =>
  item("function_call", { name: "shell", arguments: JSON.stringify(args), call_id });
const answers = (call_id: string, output: unknown) => item("function_call_output", { call_id, output });
const counts = (input: number, last: number, limits: Json = {}) =>
  told("token_count", {
    info: {
      total_token_usage: {
        input_tokens: input,
        cached_input_tokens: 9,
        output_tokens: 8,
        total_tokens: input + 8,
      },
      last_token_usage: {
        input_tokens: last,
        cached_input_tokens: 4,
        output_tokens: 3,
        total_tokens: last + 3,
      },
      model_context_window: 128_000,
    },
    ...limits,
  });
const META = line("session_meta", {
  id: "0199-codex",
  cwd: "/home/dev/shop",
  originator: "codex_cli_rs",
  cli_version: "0.99.0",
  base_instructions: { text: "You are Codex." },
  git: { commit_hash: "abc", branch: "main" },
});

describe("a rollout of Codex", () => {
  test("is one conversation: what a turn consists of is one message, and events repeat nothing", () => {
    const values = [
      META,
      line("turn_context", { cwd: "/home/dev/shop", model: "gpt-test", approval_policy: "on-request" }),
      user("<environment_context>\n  <shell>zsh</shell>\n</environment_context>"),
      told("user_message", { message: "List the files.", images: [] }),
      user("List the files."),
      thinks("**Listing**", { encrypted_content: "gAAAA1", id: "rs_1" }),
      told("agent_reasoning", { text: "**Listing**" }),
      says("I list them."),
      told("agent_message", { message: "I list them.", phase: "commentary" }),
      calls("c1", { command: ["ls"] }),
      counts(100, 100),
      counts(100, 100, { rate_limits: { primary: { used_percent: 2.5 } } }),
      answers("c1", "README.md"),
      item("custom_tool_call", {
        call_id: "c2",
        name: "apply_patch",
        input: "*** Begin Patch",
        status: "completed",
      }),
      item("custom_tool_call_output", { call_id: "c2", output: [{ type: "output_text", text: "Done!" }] }),
      says("One file."),
      counts(300, 200),
      item("ghost_snapshot", { ghost_commit: { id: "f00" } }),
      line("world_state", { full: true }),
    ];
    const { events, formats, notes } = expectAccountedFor(values, ELSEWHERE);
    expect(formats).toEqual(["codex"]);
    expect(notes).toEqual([]);
    expect(chatLines(events[0]!)).toEqual([
      "system: You are Codex.",
      "system codex: <environment_context>\n  <shell>zsh</shell>\n</environment_context>",
      "user: List the files.",
      'assistant: I list them. shell#c1{"command":["ls"]}',
      "tool #c1: README.md",
      'assistant:  apply_patch#c2{"input":"*** Begin Patch"}',
      "tool #c2: Done!",
      "assistant: One file.",
    ]);
    expect(messagesOf(events[0]!)[3]!.reasoning_content).toBe("**Listing**");
    expect(taskOf(events[0]!)).toBe("List the files.");
    expect(events[0]![0]).toMatchObject({
      agent: "codex",
      external_id: "0199-codex",
      executor_system_prompt: "You are Codex.",
    });
    expect(metadataOf(events[0]!)).toMatchObject({ cwd: "/home/dev/shop", model: "gpt-test" });
    const usage = events[0]!.flatMap((event) =>
      event.type === "AttemptEnded" ? [event.usage?.prompt_tokens] : [],
    );
    expect(usage).toEqual([100, undefined, 200]);
    expect(events[0]!.find((event) => event.type === "SessionEnded")).toMatchObject({
      status: "succeeded",
      usage: { prompt_tokens: 300, completion_tokens: 8, total_tokens: 308, cached_tokens: 9 },
    });
  });

  test("a summary is told by the program, and history before it stays", () => {
    const values = [
      META,
      user("Build it."),
      says("Built."),
      line("compacted", {
        message: "It was built.",
        replacement_history: [
          { type: "message", role: "user", content: [{ type: "input_text", text: "Build it." }] },
        ],
      }),
      user("Test it."),
      says("Tested."),
    ];
    const { events } = expectAccountedFor(values, ELSEWHERE);
    expect(chatLines(events[0]!).slice(1)).toEqual([
      "user: Build it.",
      "assistant: Built.",
      "system codex: It was built.",
      "user: Test it.",
      "assistant: Tested.",
    ]);
  });

  test("an aborted turn cancels, an error fails, and what came after neither does", () => {
    const aborted = told("turn_aborted", { reason: "interrupted" });
    const failed = told("error", { message: "usage limit reached" });
    const notice = user("<turn_aborted>\nThe user interrupted.\n</turn_aborted>");
    const statusOf = (...values: Json[]) => {
      const { sessions, events } = readValues([META, user("Go."), calls("c1", {}), ...values]);
      return [sessions[0]!.status, events[0]!.find((event) => event.type === "SessionEnded")?.error];
    };
    expect(statusOf(aborted)).toEqual(["cancelled", null]);
    expect(statusOf(aborted, notice)).toEqual(["cancelled", null]);
    expect(statusOf(failed)).toEqual(["failed", "usage limit reached"]);
    expect(statusOf(aborted, user("Again."), says("Done."))).toEqual(["succeeded", null]);
  });

  test("what the user took back is told and kept", () => {
    const values = [
      META,
      user("One."),
      says("First."),
      user("Wrong."),
      says("Wrong answer."),
      told("thread_rolled_back", { num_turns: 1 }),
      user("Right."),
    ];
    const { events, notes } = expectAccountedFor(values, ELSEWHERE);
    expect(chatLines(events[0]!).slice(1)).toEqual(["user: One.", "assistant: First.", "user: Right."]);
    expect(notes).toEqual(["2 messages that the user took back: kept with the metadata"]);
  });

  test("a thread of a sub-agent, with the sessions that it was forked from", () => {
    const { events } = expectAccountedFor(
      [
        line("session_meta", {
          id: "child",
          source: { subagent: { thread_spawn: { parent_thread_id: "p1" } } },
        }),
        line("session_meta", { id: "p1", cwd: "/parent" }),
        user("Look."),
        says("Seen."),
      ],
      ELSEWHERE,
    );
    expect(events[0]![0]).toMatchObject({ external_id: "child", tags: ["sub-agent"] });
    expect(metadataOf(events[0]!).other_sessions).toEqual([{ id: "p1", cwd: "/parent" }]);
  });
});

describe("other versions", () => {
  test("events alone, where a rollout has no items", () => {
    const values = [
      META,
      told("user_message", { message: "Hi." }),
      told("agent_reasoning", { text: "Greet." }),
      told("agent_message", { message: "Hello." }),
    ];
    const { events } = expectAccountedFor(values, ELSEWHERE);
    expect(chatLines(events[0]!).slice(1)).toEqual(["user: Hi.", "assistant: Hello."]);
    expect(messagesOf(events[0]!)[2]!.reasoning_content).toBe("Greet.");
  });

  test("bare items behind a header line", () => {
    const values = [
      { id: "old", timestamp: "2025-05-01T10:00:00.000Z", instructions: "Be kind.", git: { branch: "main" } },
      { record_type: "state" },
      { type: "message", role: "user", content: [{ type: "input_text", text: "List." }] },
      { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "gAAAA1" },
      { type: "reasoning", id: "rs_2", summary: [], encrypted_content: "gAAAA2" },
      {
        type: "local_shell_call",
        id: "lsc_1",
        call_id: "call_1",
        status: "completed",
        action: { type: "exec", command: ["ls"], timeout_ms: 1000 },
      },
      {
        type: "function_call_output",
        call_id: "call_1",
        output: '{"output":"a.txt","metadata":{"exit_code":0}}',
      },
      { type: "web_search_call", id: "ws_1", status: "completed", action: { type: "search", query: "txt" } },
      {
        type: "message",
        role: "assistant",
        content: [{ type: "output_text", text: "One.", annotations: [] }],
      },
    ];
    const { events } = expectAccountedFor(values, ELSEWHERE);
    expect(chatLines(events[0]!)).toEqual([
      "system: Be kind.",
      "user: List.",
      'assistant:  local_shell#call_1{"type":"exec","command":["ls"],"timeout_ms":1000}',
      'tool #call_1: {"output":"a.txt","metadata":{"exit_code":0}}',
      'assistant:  web_search_call#ws_1{"type":"search","query":"txt"}',
      'tool #ws_1: {"status":"completed"}',
      "assistant: One.",
    ]);
  });

  test("one object with the session and its items", () => {
    const { events, formats } = expectAccountedFor(
      [
        {
          session: { id: "oldest", timestamp: "2025-04-20T10:00:00.000Z", instructions: "" },
          items: [
            { type: "message", role: "user", content: [{ type: "input_text", text: "Hi." }] },
            {
              type: "message",
              role: "assistant",
              content: [{ type: "output_text", text: "Hello." }],
              id: "msg_1",
            },
          ],
        },
      ],
      ELSEWHERE,
    );
    expect(formats).toEqual(["codex"]);
    expect(chatLines(events[0]!)).toEqual(["user: Hi.", "assistant: Hello."]);
  });

  test("lines that are nothing of Codex are told and kept; without a message there is no conversation", () => {
    const { notes } = expectAccountedFor([META, user("Hi."), "noise", { odd: 1 }], ELSEWHERE);
    expect(notes).toEqual(["2 lines without anything of Codex: kept with the metadata"]);
    expect(readValues([META]).problems).toEqual(["no message of a user or of Codex is in it; found 1 line"]);
  });
});
