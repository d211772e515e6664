import { describe, expect, test } from "vitest";
import type { ChatMessage } from "../../../intake/chat/message.ts";
import { withResults } from "../../../intake/spans/supply-results.ts";
import { threadsOf } from "../../../intake/spans/threads.ts";
import type { Work } from "../../../intake/spans/work.ts";
import { cpuSeconds } from "../../cpu-seconds.ts";

const MANY = 5000;

const workOf = (index: number, more: Partial<Work> = {}): Work => ({
  traceId: "t",
  id: `w${index}`,
  name: "w",
  kind: "model",
  start: index,
  said: {},
  spoken: {},
  rest: {},
  ...more,
});
const many = <T>(of: (index: number) => T): T[] => Array.from({ length: MANY }, (_, index) => of(index));

describe("a trace of very many spans", () => {
  test("calls of a model that have nothing to do with each other are threads of their own", () => {
    const calls = many((index) => ({
      work: workOf(index),
      system: [],
      asked: [{ role: "user", content: `What is in box ${index}?` }] satisfies ChatMessage[],
      answered: [{ role: "assistant", content: "A shoe." }] satisfies ChatMessage[],
    }));
    let threads: unknown[] = [];
    expect(cpuSeconds(() => (threads = threadsOf(calls)))).toBeLessThan(4);
    expect(threads).toHaveLength(MANY);
  });

  test("runs of tools without ids supply the results of the calls that gave the same arguments", () => {
    const calls = many((index): { message: ChatMessage } => ({
      message: {
        role: "assistant",
        content: null,
        tool_calls: [{ type: "function", function: { name: "open", arguments: `{"box": ${index}}` } }],
      },
    }));
    const runs = many((index) =>
      workOf(index, {
        kind: "tool",
        tool: { name: "open", id: undefined, arguments: { box: MANY - 1 - index }, result: `shoe ${index}` },
      }),
    );
    let said: { message: ChatMessage }[] = [];
    expect(cpuSeconds(() => (said = withResults(calls, runs)))).toBeLessThan(4);
    expect(said).toHaveLength(2 * MANY);
    expect(said[1]!.message.content).toBe(`shoe ${MANY - 1}`);
    expect(said.at(-1)!.message.content).toBe("shoe 0");
  });
});
