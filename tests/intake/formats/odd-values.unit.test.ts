import { describe, expect, test } from "vitest";
import { readValues } from "./accounts-for.ts";

const at = "2026-03-01T09:00:00.000Z";
const claude = { sessionId: "s", timestamp: at, isSidechain: false };
const codex = (type: string, payload: object) => ({ timestamp: at, type, payload });

/** A small recording of each format of coding agents, with most kinds of lines. */
const RECORDINGS: Record<string, unknown[]> = {
  "claude-code": [
    {
      ...claude,
      type: "user",
      uuid: "u1",
      parentUuid: null,
      message: { role: "user", content: [{ type: "text", text: "Go." }] },
    },
    {
      ...claude,
      type: "assistant",
      uuid: "a1",
      parentUuid: "u1",
      message: {
        id: "m1",
        role: "assistant",
        content: [
          { type: "thinking", thinking: "Hm." },
          { type: "tool_use", id: "t1", name: "Read", input: { path: "a" } },
        ],
        usage: { input_tokens: 1, output_tokens: 2 },
      },
    },
    {
      ...claude,
      type: "user",
      uuid: "r1",
      parentUuid: "a1",
      message: {
        role: "user",
        content: [{ type: "tool_result", tool_use_id: "t1", content: [{ type: "text", text: "A" }] }],
      },
      toolUseResult: { agentId: "x" },
    },
    {
      ...claude,
      type: "attachment",
      uuid: "q1",
      parentUuid: "r1",
      attachment: { type: "queued_command", prompt: "And?" },
    },
    {
      ...claude,
      isSidechain: true,
      agentId: "x",
      type: "user",
      uuid: "x1",
      parentUuid: null,
      message: { role: "user", content: "Sub." },
    },
  ],
  codex: [
    codex("session_meta", { id: "s", base_instructions: { text: "Be." }, source: { subagent: "review" } }),
    codex("response_item", { type: "message", role: "user", content: [{ type: "input_text", text: "Go." }] }),
    codex("response_item", { type: "reasoning", summary: [{ type: "summary_text", text: "Hm." }] }),
    codex("response_item", { type: "function_call", call_id: "c", name: "shell", arguments: "{}" }),
    codex("response_item", { type: "function_call_output", call_id: "c", output: { content: "ok" } }),
    codex("response_item", { type: "local_shell_call", call_id: "d", action: { command: ["ls"] } }),
    codex("event_msg", { type: "agent_message", message: "Done." }),
    codex("event_msg", { type: "token_count", info: { last_token_usage: { input_tokens: 1 } } }),
    codex("response_item", { type: "message", role: "user", content: "Wrong." }),
    codex("event_msg", { type: "thread_rolled_back", num_turns: 1 }),
    codex("compacted", { message: "Short.", replacement_history: [{ type: "message" }] }),
  ],
  "gemini-cli": [
    { sessionId: "s", projectHash: "h", startTime: at },
    { id: "1", timestamp: at, type: "user", content: [{ text: "Go." }] },
    {
      id: "2",
      timestamp: at,
      type: "gemini",
      content: "Done.",
      thoughts: [{ subject: "S", description: "D" }],
      tokens: { input: 1, output: 2 },
      toolCalls: [
        {
          id: "t",
          name: "f",
          args: { a: 1 },
          result: [{ functionResponse: { id: "t", name: "f", response: { output: "x" } } }],
        },
      ],
    },
    { $set: { summary: "S" } },
    { $rewindTo: "2" },
  ],
  pi: [
    { type: "session", id: "s", timestamp: at },
    {
      type: "message",
      id: "1",
      parentId: null,
      timestamp: at,
      message: { role: "user", content: [{ type: "text", text: "Go." }] },
    },
    {
      type: "message",
      id: "2",
      parentId: "1",
      timestamp: at,
      message: {
        role: "assistant",
        content: [{ type: "toolCall", id: "t", name: "f", arguments: { a: 1 } }],
        usage: { input: 1, cost: { total: 1 } },
      },
    },
    {
      type: "message",
      id: "3",
      parentId: "2",
      timestamp: at,
      message: { role: "bashExecution", command: "ls", output: "a" },
    },
    { type: "compaction", id: "4", parentId: "3", timestamp: at, summary: "Short." },
  ],
};

const ODD = [[null], { odd: 1 }];

/** Every copy of a value in which one part of it is something odd. */
function* oddCopies(value: unknown): Generator<unknown> {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    for (const other of [...ODD, ...oddCopies(inner)]) {
      const copy: unknown = Array.isArray(value) ? [...(value as unknown[])] : { ...value };
      (copy as Record<string, unknown>)[key] = other;
      yield copy;
    }
  }
}

describe.each(Object.entries(RECORDINGS))("%s", (format, values) => {
  test("reads its recording", () => {
    expect(new Set(readValues(values).formats)).toEqual(new Set([format]));
  });

  test("whatever stands where something else belongs, reading goes on", () => {
    const [first, ...others] = values;
    let read = 0;
    for (const copy of oddCopies(others)) {
      const { sessions, problems } = readValues([first, ...(copy as unknown[])]);
      expect(sessions.length + problems.length).toBeGreaterThan(0);
      read += 1;
    }
    expect(read).toBeGreaterThan(50);
  });
});
