import { describe, expect, test } from "vitest";
import { expectAccountedFor, readValues } from "./accounts-for.ts";
import { chatLines, messagesOf, metadataOf, taskOf } from "./chat-lines.ts";

type Json = Record<string, unknown>;

const ELSEWHERE = {
  timestamp: "the time of a message",
  type: "what an entry is",
  role: "who says it, in OpenAI's words",
};

let seconds = 0;
const entry = (id: string, parentId: string | null, type: string, fields: Json): Json => {
  seconds += 1;
  return {
    type,
    id,
    parentId,
    timestamp: new Date(Date.UTC(2026, 2, 1, 9, 0, seconds)).toISOString(),
    ...fields,
  };
};
const message = (id: string, parentId: string | null, role: string, fields: Json) =>
  entry(id, parentId, "message", { message: { role, ...fields } });
const text = (said: string) => [{ type: "text", text: said }];

const SESSION = [
  { type: "session", version: 3, id: "pi-1", timestamp: "2026-03-01T09:00:00.000Z", cwd: "/home/dev/shop" },
  entry("e0", null, "model_change", { provider: "anthropic", modelId: "claude-test-1" }),
  message("e1", "e0", "user", { content: text("Look.") }),
  message("e2", "e1", "assistant", {
    content: [
      { type: "thinking", thinking: "List first.", thinkingSignature: "c2ln" },
      { type: "text", text: "I look." },
      { type: "toolCall", id: "t1", name: "bash", arguments: { command: "ls" } },
    ],
    model: "claude-test-1",
    usage: { input: 10, output: 5, cacheRead: 100, cacheWrite: 20, totalTokens: 135, cost: { total: 0.5 } },
    stopReason: "toolUse",
  }),
  message("e3", "e2", "toolResult", {
    toolCallId: "t1",
    toolName: "bash",
    content: text("README"),
    isError: false,
  }),
  message("e4", "e3", "bashExecution", { command: "pwd", output: "/home/dev/shop", exitCode: 0 }),
  entry("e5", "e4", "compaction", { summary: "One file.", firstKeptEntryId: "e3", tokensBefore: 900 }),
  message("x1", "e3", "user", { content: "Never mind." }),
  message("e6", "e5", "user", { content: "And now?" }),
  message("e7", "e6", "assistant", { content: [], stopReason: "error", errorMessage: "overloaded" }),
];

describe("a session of Pi", () => {
  test("is the path to its last entry, with what Pi itself told the model", () => {
    const { events, formats, notes, sessions } = expectAccountedFor(SESSION, ELSEWHERE);
    expect(formats).toEqual(["pi"]);
    expect(chatLines(events[0]!)).toEqual([
      "user: Look.",
      'assistant: I look. bash#t1{"command":"ls"}',
      "tool #t1: README",
      "system pi: $ pwd\n/home/dev/shop",
      "system pi: One file.",
      "user: And now?",
    ]);
    expect(messagesOf(events[0]!)[1]!.reasoning_content).toBe("List first.");
    expect(notes).toEqual(["1 line of branches that the user left: kept with the metadata"]);
    expect(sessions[0]!.status).toBe("failed");
    expect(events[0]![0]).toMatchObject({ agent: "pi", external_id: "pi-1" });
    expect(events[0]!.find((event) => event.type === "SessionEnded")).toMatchObject({
      error: "overloaded",
      cost: 0.5,
      usage: { prompt_tokens: 130, completion_tokens: 5, total_tokens: 135, cached_tokens: 100 },
    });
  });

  test("is read in its order where its first version names no entries", () => {
    const values = SESSION.slice(0, 5).map((each) => {
      const { id, parentId: _, ...rest } = each as Json;
      return rest.type === "session" ? { ...rest, id } : rest;
    });
    const { events } = expectAccountedFor(values, ELSEWHERE);
    expect(chatLines(events[0]!)).toHaveLength(3);
  });

  test("images of its own shape stay images", () => {
    const content = [...text("What is it?"), { type: "image", data: "iVBORw0K", mimeType: "image/png" }];
    const { events } = readValues([SESSION[0], message("e1", null, "user", { content })]);
    expect(messagesOf(events[0]!)[0]!.content).toEqual([
      ...text("What is it?"),
      { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0K" } },
    ]);
  });
});

describe("a session trace of the Hub", () => {
  const header = { type: "session", harness: "my.agent", id: "b1", name: "An API", purpose: "demo" };
  const line = (role: string, fields: Json) => ({ type: "message", message: { role, ...fields } });
  const call = { id: "c1", type: "function", function: { name: "read", arguments: '{"path":"a"}' } };

  test("names its harness as the agent", () => {
    const values = [
      header,
      line("system", { content: "Be brief." }),
      line("user", { content: "Read a." }),
      line("assistant", { content: null, reasoning_content: "Short.", tool_calls: [call] }),
      line("tool", { tool_call_id: "c1", content: "A." }),
      line("assistant", { content: "It says A.", usage: { prompt_tokens: 4, completion_tokens: 2 } }),
    ];
    const { events, formats } = expectAccountedFor(values, ELSEWHERE);
    expect(formats).toEqual(["session-trace"]);
    expect(chatLines(events[0]!)).toEqual([
      "system: Be brief.",
      "user: Read a.",
      'assistant:  read#c1{"path":"a"}',
      "tool #c1: A.",
      "assistant: It says A.",
    ]);
    expect(events[0]![0]).toMatchObject({
      agent: "my.agent",
      external_id: "b1",
      executor_system_prompt: "Be brief.",
    });
    expect(metadataOf(events[0]!)).toMatchObject({ name: "An API", purpose: "demo" });
  });

  test("several in one file are apart; its name is the task where nobody asked", () => {
    const { events } = readValues([
      header,
      line("assistant", { content: "Hello." }),
      { ...header, id: "b2" },
      line("user", { content: "Hi." }),
    ]);
    expect(events.map(chatLines)).toEqual([["assistant: Hello."], ["user: Hi."]]);
    expect(taskOf(events[0]!)).toBe("An API");
  });

  test("what cannot be read is told and kept; without a message there is no conversation", () => {
    const { notes } = expectAccountedFor(
      [header, line("user", { content: "Hi." }), line("nobody", {}), 7],
      ELSEWHERE,
    );
    expect(notes).toEqual([
      expect.stringContaining("a message cannot be read (role is not one of"),
      "1 line without an entry of a session: kept with the metadata",
    ]);
    expect(readValues([header]).problems).toEqual(["no message is in it; found 1 line"]);
  });
});
