import { describe, expect, test } from "vitest";
import type { ChatMessage } from "../../../intake/chat/message.ts";
import { pairToolCalls } from "../../../intake/import/recorded-tool-calls.ts";
import { cpuSeconds } from "../../cpu-seconds.ts";

const CALLS = 20_000;

const asks = (...ids: (string | undefined)[]): ChatMessage => ({
  role: "assistant",
  content: null,
  tool_calls: ids.map((id) => ({
    ...(id !== undefined && { id }),
    type: "function",
    function: { name: "look", arguments: "{}" },
  })),
});
const answers = (id?: string): ChatMessage => ({
  role: "tool",
  content: "seen",
  ...(id !== undefined && { tool_call_id: id }),
});
const times = <T>(of: (index: number) => T): T[] => Array.from({ length: CALLS }, (_, index) => of(index));

/** How many calls found their results, and what the last call is named. */
function paired(messages: ChatMessage[]): [number, string | undefined] {
  const { callsOf, answeredBy } = pairToolCalls(messages);
  const last = [...callsOf.values()].at(-1)?.at(-1)?.callId;
  return [answeredBy.size, last];
}

describe("a recording of very many tool calls", () => {
  test.each<[string, ChatMessage[], [number, string]]>([
    ["whose results are missing", times((at) => asks(`c${at}`)), [0, "c19999"]],
    [
      "whose results come at the end",
      [...times((at) => asks(`c${at}`)), ...times((at) => answers(`c${at}`))],
      [CALLS, "c19999"],
    ],
    [
      "that one turn asked for",
      [asks(...times((at) => `c${at}`)), ...times((at) => answers(`c${at}`))],
      [CALLS, "c19999"],
    ],
    [
      "that have no ids",
      [asks(...times(() => undefined)), ...times(() => answers())],
      [CALLS, "step-1-call-20000"],
    ],
    ["of one id", times(() => [asks("same"), answers("same")]).flat(), [CALLS, "same#20000"]],
  ])("%s is paired in time that grows with it alone", (_, messages, expected) => {
    let found: unknown;
    expect(cpuSeconds(() => (found = paired(messages)))).toBeLessThan(4);
    expect(found).toEqual(expected);
  });

  test("names of JavaScript's own are ids like any other", () => {
    expect(paired([asks("__proto__", "constructor"), answers("constructor"), answers("__proto__")])).toEqual([
      2,
      "constructor",
    ]);
  });
});
