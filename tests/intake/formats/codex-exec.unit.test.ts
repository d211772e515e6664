import { describe, expect, test } from "vitest";
import { readValues } from "./accounts-for.ts";
import { messagesOf, metadataOf } from "./chat-lines.ts";

const item = (type: string, fields: Record<string, unknown>, event = "item.completed") => ({
  type: event,
  item: { type, ...fields },
});
const BEGIN = [{ type: "thread.started", thread_id: "t-7" }, { type: "turn.started" }];
const command = (id: string, more: Record<string, unknown>, event?: string) =>
  item("command_execution", { id, command: "ls shop", ...more }, event);
const END = {
  type: "turn.completed",
  usage: { input_tokens: 90, cached_input_tokens: 10, output_tokens: 5 },
};

describe("what `codex exec --json` prints", () => {
  test("is one session: items become calls, results and words, each once", () => {
    const { sessions, events, notes, problems } = readValues([
      ...BEGIN,
      item("reasoning", { id: "i0", text: "Look first." }),
      command("i1", { aggregated_output: "", exit_code: null, status: "in_progress" }, "item.started"),
      command("i1", { aggregated_output: "till.ts\n", exit_code: 0, status: "completed" }),
      item("mcp_tool_call", {
        id: "i2",
        server: "stock",
        tool: "count",
        arguments: { shelf: 3 },
        result: { content: [{ type: "text", text: "12 shoes" }] },
        status: "completed",
      }),
      item("web_search", { id: "i3", query: "shoe sizes" }),
      item("todo_list", { id: "i4", items: [{ text: "count", completed: true }] }),
      item("error", { id: "i5", message: "the model is slow today" }),
      item("agent_message", { id: "i6", text: "Twelve shoes." }),
      END,
    ]);
    expect(problems).toEqual([]);
    expect(notes.join()).toContain("what was asked is not in it");
    expect(sessions).toHaveLength(1);
    expect(sessions[0]).toMatchObject({
      status: "succeeded",
      usage: { prompt_tokens: 90, completion_tokens: 5, cached_tokens: 10 },
    });
    const said = messagesOf(events[0]!).map(({ role, content, tool_calls }) => [
      role,
      content,
      tool_calls?.map(({ function: called }) => `${called?.name} ${String(called?.arguments)}`),
    ]);
    expect(said).toEqual([
      ["assistant", null, ['command_execution {"command":"ls shop"}']],
      ["tool", "till.ts\n", undefined],
      ["assistant", null, ['count {"shelf":3}']],
      ["tool", "12 shoes", undefined],
      ["assistant", null, ['web_search {"query":"shoe sizes"}']],
      ["tool", "completed", undefined],
      ["assistant", "Twelve shoes.", undefined],
    ]);
    expect(messagesOf(events[0]!)[0]!.reasoning_content).toBe("Look first.");
    const kept = JSON.stringify(metadataOf(events[0]!));
    expect(kept).toContain("the model is slow today");
    expect(kept).toContain('"text":"count"');
  });

  test("ends with the error of its turn; a command that was still running has no result", () => {
    const { sessions, events } = readValues([
      ...BEGIN,
      command("i1", { aggregated_output: "", status: "in_progress" }, "item.started"),
      { type: "error", message: "no more money" },
      { type: "turn.failed", error: { message: "no more money" } },
    ]);
    expect(sessions.map(({ status }) => status)).toEqual(["failed"]);
    expect(events[0]!.find((event) => event.type === "SessionEnded")?.error).toBe("no more money");
    expect(messagesOf(events[0]!).map(({ role }) => role)).toEqual(["assistant"]);
  });
});
