import { describe, expect, test } from "vitest";
import { expectAccountedFor, readValues } from "./accounts-for.ts";
import { chatsOf, eventsOfType } from "./trace-chats.ts";

let count = 0;
const event = (type: string, second: number, more: Record<string, unknown> = {}) => {
  count += 1;
  return { id: `sevt_${count}`, type, processed_at: `2026-03-01T08:00:0${second}.000000Z`, ...more };
};
const text = (words: string) => [{ type: "text", text: words }];

const session = {
  type: "session",
  id: "sesn_1",
  created_at: "2026-03-01T08:00:00Z",
  title: "Bees",
  agent: {
    type: "agent",
    id: "agent_1",
    name: "Bee keeper",
    model: { id: "sonnet-small" },
    system: "You keep bees.",
    tools: [
      { type: "agent_toolset_20260401", default_config: { enabled: true } },
      { type: "custom", name: "hive_weight", description: "Weighs", input_schema: { type: "object" } },
    ],
  },
};
const sent = { events: [{ type: "user.message", content: text("How heavy is hive 3?") }] };
const streamed = [
  event("session.status_running", 1),
  event("user.message", 1, { content: [{ text: "How heavy is hive 3?", type: "text" }] }),
  event("span.model_request_start", 1),
  event("agent.thinking", 2),
  event("agent.message", 2, { content: text("I weigh it.") }),
  event("agent.custom_tool_use", 2, { id: "use_1", name: "hive_weight", input: { hive: 3 } }),
  event("agent.mcp_tool_use", 2, { id: "use_2", name: "notes", input: {}, mcp_server_name: "barn" }),
  event("span.model_request_end", 3, {
    is_error: false,
    model_usage: {
      input_tokens: 4,
      cache_read_input_tokens: 90,
      cache_creation_input_tokens: 6,
      output_tokens: 31,
    },
  }),
  event("session.status_idle", 3, { stop_reason: { type: "requires_action", event_ids: ["use_1"] } }),
  event("agent.mcp_tool_result", 4, { mcp_tool_use_id: "use_2", is_error: true, content: text("refused") }),
  event("user.custom_tool_result", 4, { custom_tool_use_id: "use_1", content: text("31 kg") }),
  event("span.model_request_start", 5),
  event("agent.message", 6, { content: text("It weighs 31 kg.") }),
  event("span.model_request_end", 6, { model_usage: { input_tokens: 9, output_tokens: 8 } }),
  event("session.status_idle", 7, { stop_reason: { type: "end_turn" } }),
];
const recorded = [
  ["client.beta.sessions.create", session],
  ["client.beta.sessions.events.send", ["sesn_1", sent]],
  ...streamed.map((each) => ["client.beta.sessions.events.stream", each]),
];
const chat = [
  "user: How heavy is hive 3?",
  'assistant: I weigh it. hive_weight({"hive":3}) notes({})',
  "tool to use_2: refused",
  "tool to use_1: 31 kg",
  "assistant: It weighs 31 kg.",
];
const LEAVES = { type: "what it is" };

describe("calls of a client", () => {
  test("are a session, and nothing of it is lost", () => {
    const read = expectAccountedFor(recorded, LEAVES);
    expect(read.formats).toEqual(["managed-agents"]);
    expect(chatsOf(...recorded)).toEqual([["system: You keep bees.", ...chat]]);
    const [started] = eventsOfType(read, "SessionStarted");
    expect(started).toMatchObject({ agent: "Bee keeper", external_id: "sesn_1" });
    expect(JSON.parse(started!.tools!)).toEqual([
      {
        type: "function",
        function: { name: "hive_weight", description: "Weighs", parameters: { type: "object" } },
      },
    ]);
  });

  test("what a request of the model said is one message, with its tokens", () => {
    const read = readValues(recorded);
    expect(eventsOfType(read, "SessionEnded")[0]).toMatchObject({
      status: "succeeded",
      usage: { prompt_tokens: 109, completion_tokens: 39, cached_tokens: 90, calls: 2 },
      duration_us: 7_000_000,
    });
    expect(eventsOfType(read, "ToolCallEnded").map(({ call_id, output }) => [call_id, output])).toEqual([
      ["use_2", "refused"],
      ["use_1", "31 kg"],
    ]);
  });

  test("what was sent and did not come back is there as it was sent", () => {
    expect(chatsOf(recorded[0], recorded[1])).toEqual([["system: You keep bees.", chat[0]]]);
  });

  test("several sessions are told apart", () => {
    const other = ["client.beta.sessions.create", { ...session, id: "sesn_2" }];
    const question = ["client.beta.sessions.events.send", ["sesn_2", sent]];
    expect(chatsOf(...recorded, other, question)).toEqual([
      ["system: You keep bees.", ...chat],
      ["system: You keep bees.", chat[0]],
    ]);
  });
});

describe("events alone", () => {
  test("are a session", () => {
    expectAccountedFor(streamed, LEAVES);
    expect(chatsOf(...streamed)).toEqual([chat]);
  });

  test("that end with an error are a failed one", () => {
    const error = event("session.error", 8, { error: { type: "overloaded", message: "no model is free" } });
    expect(eventsOfType(readValues([...streamed, error]), "SessionEnded")[0]).toMatchObject({
      status: "failed",
      error: "no model is free",
    });
  });

  test("without a message are one sentence", () => {
    expect(readValues([streamed[0]]).problems).toEqual(["no message is among its events (1)"]);
  });
});
