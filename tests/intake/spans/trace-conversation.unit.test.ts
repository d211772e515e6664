import { describe, expect, test } from "vitest";
import { readValues } from "../formats/accounts-for.ts";
import { batchOf, micros, spanOf } from "../formats/otel-spans.ts";
import { chatsOf, eventsOfType } from "../formats/trace-chats.ts";

const user = (content: string) => ({ role: "user", content });
const system = (content: string) => ({ role: "system", content });
const said = (content: string | null, ...calls: [string, string, string][]) => ({
  role: "assistant",
  content,
  ...(calls.length > 0 && {
    tool_calls: calls.map(([id, name, args]) => ({
      id,
      type: "function",
      function: { name, arguments: args },
    })),
  }),
});
const result = (tool_call_id: string, content: string) => ({ role: "tool", tool_call_id, content });

type Times = [from: number, to: number];

const llm = (
  id: string,
  parent: string | undefined,
  [from, to]: Times,
  asked: unknown[],
  answer: unknown,
  more = {},
) =>
  spanOf({
    id,
    ...(parent !== undefined && { parent }),
    from,
    to,
    attributes: {
      "openinference.span.kind": "LLM",
      "input.value": JSON.stringify({ messages: asked, ...more }),
      "output.value": JSON.stringify(answer),
    },
  });
const tool = (id: string, parent: string, [from, to]: Times, attributes: Record<string, unknown>) =>
  spanOf({
    id,
    parent,
    from,
    to,
    name: "lookup",
    attributes: { "openinference.span.kind": "TOOL", ...attributes },
  });
const agent = (id: string, parent: string | undefined, [from, to]: Times, name: string) =>
  spanOf({
    id,
    ...(parent !== undefined && { parent }),
    from,
    to,
    name,
    attributes: { "openinference.span.kind": "AGENT" },
  });

const agentsOf = (value: unknown) =>
  eventsOfType(readValues([value]), "SessionStarted").map((each) => each.agent);

describe("results that no call tells of", () => {
  test("are those of the tools' spans: by id, by arguments, in order", () => {
    const calls: [string, string, string][] = [
      ["c1", "lookup", '{"n":1}'],
      ["c2", "lookup", '{"n":2}'],
      ["c3", "lookup", '{"n":3}'],
    ];
    const trace = batchOf(
      agent("01", undefined, [0, 9], "clerk"),
      llm("02", "01", [1, 2], [user("look")], said(null, ...calls)),
      tool("03", "01", [5, 6], { "input.value": '{ "n": 2 }', "output.value": "two" }),
      tool("04", "01", [3, 4], { "input.value": "{}", "output.value": "three" }),
      tool("05", "01", [7, 8], { "tool_call.id": "c1", "output.value": '{"one":1}' }),
    );
    expect(chatsOf(trace)).toEqual([
      [
        "user: look",
        'assistant: lookup({"n":1}) lookup({"n":2}) lookup({"n":3})',
        'tool to c1: {"one":1}',
        "tool to c2: two",
        "tool to c3: three",
      ],
    ]);
  });

  test("a tool that failed says why", () => {
    const failed = { ...tool("03", "01", [3, 4], {}), status: { code: 2, message: "no such berth" } };
    const trace = batchOf(
      llm("02", "01", [1, 2], [user("look")], said(null, ["c1", "lookup", "{}"])),
      failed,
    );
    expect(chatsOf(trace)[0]!.at(-1)).toBe("tool to c1: no such berth");
  });

  test("are not taken twice: a result that a call tells of gets its time from the span", () => {
    const trace = batchOf(
      llm("02", "01", [1, 2], [user("look")], said(null, ["c1", "lookup", "{}"])),
      tool("03", "01", [3, 4], { "output.value": "4" }),
      llm(
        "04",
        "01",
        [6, 7],
        [user("look"), said(null, ["c1", "lookup", "{}"]), result("c1", "4")],
        said("It is 4."),
      ),
    );
    expect(chatsOf(trace)).toEqual([
      ["user: look", "assistant: lookup({})", "tool to c1: 4", "assistant: It is 4."],
    ]);
    const times = eventsOfType(readValues([trace]), "MessageRecorded").map(({ meta }) => meta.occurred_at);
    expect(times).toEqual([1, 2, 4, 7].map(micros));
  });
});

test("a result whose call was not recorded stays", () => {
  const trace = batchOf(llm("02", undefined, [1, 2], [result("c0", "4"), user("and now?")], said("5")));
  expect(chatsOf(trace)).toEqual([["tool to c0: 4", "user: and now?", "assistant: 5"]]);
});

describe("which calls are the conversation", () => {
  test("not those of an agent that a tool asked", () => {
    const trace = batchOf(
      agent("01", undefined, [0, 20], "lead"),
      llm("02", "01", [1, 2], [user("plan")], said(null, ["c1", "lookup", "{}"])),
      tool("03", "01", [3, 12], { "output.value": "the report" }),
      agent("04", "03", [3, 12], "scout"),
      llm("05", "04", [4, 5], [user("scout"), said("a"), user("b"), said("c"), user("d")], said("e")),
    );
    const [chat] = chatsOf(trace);
    expect(chat).toEqual(["user: plan", "assistant: lookup({})", "tool to c1: the report"]);
    expect(agentsOf(trace)).toEqual(["lead"]);
    const read = readValues([trace]);
    expect(read.notes[0]).toMatch(/^calls of a model that are no part of its trace's conversation/);
    expect(eventsOfType(read, "SessionStarted")[0]!.metadata).toContain("scout");
  });

  test("nor those of an agent within the agent, unless the outer one only chose it", () => {
    const inner = [
      agent("03", "01", [3, 9], "worker"),
      llm("04", "03", [4, 5], [user("work"), said("yes"), user("now")], said("done")),
    ];
    const asking = llm("02", "01", [1, 2], [user("hi")], said(null, ["c1", "lookup", "{}"]));
    const choosing = llm("02", "01", [1, 2], [user("hi")], said("worker"));
    const outer = agent("01", undefined, [0, 10], "lead");
    expect(agentsOf(batchOf(outer, asking, ...inner))).toEqual(["lead"]);
    expect(agentsOf(batchOf(outer, choosing, ...inner))).toEqual(["worker"]);
  });

  test("a conversation that another agent goes on with is one, under the prompt of the last", () => {
    const trace = batchOf(
      agent("01", undefined, [0, 9], "run"),
      agent("02", "01", [0, 3], "first"),
      llm("03", "02", [1, 2], [system("You greet."), user("hi")], said("hello")),
      agent("04", "01", [4, 9], "second"),
      llm(
        "05",
        "04",
        [5, 6],
        [system("You sell."), user("hi"), said("hello"), user("a rope")],
        said("Sold."),
      ),
    );
    expect(chatsOf(trace)).toEqual([
      ["system: You sell.", "user: hi", "assistant: hello", "user: a rope", "assistant: Sold."],
    ]);
    expect(agentsOf(trace)).toEqual(["second"]);
    expect(eventsOfType(readValues([trace]), "SessionStarted")[0]!.metadata).toContain("You greet.");
  });

  test("calls that were sent only what is new belong together", () => {
    const trace = batchOf(
      llm("02", "01", [1, 2], [user("look")], said(null, ["c1", "lookup", "{}"])),
      llm("03", "01", [4, 5], [result("c1", "4")], said("It is 4.")),
    );
    expect(chatsOf(trace)).toEqual([
      ["user: look", "assistant: lookup({})", "tool to c1: 4", "assistant: It is 4."],
    ]);
  });

  test("of two answers to the same the later one", () => {
    const trace = batchOf(
      llm("02", "01", [1, 2], [user("look")], said("first")),
      llm("03", "01", [3, 4], [user("look")], said("second")),
    );
    expect(chatsOf(trace)).toEqual([["user: look", "assistant: second"]]);
  });

  test("a span around a call tells of it only where the call does not", () => {
    const outer = { ...llm("02", undefined, [0, 5], [user("outer")], said("whole")), name: "wrapper" };
    const inner = llm("03", "02", [1, 4], [user("inner")], said("call"));
    const silent = spanOf({
      id: "03",
      parent: "02",
      from: 1,
      to: 4,
      attributes: { "openinference.span.kind": "LLM" },
    });
    expect(chatsOf(batchOf(outer, inner))).toEqual([["user: inner", "assistant: call"]]);
    expect(chatsOf(batchOf(outer, silent))).toEqual([["user: outer", "assistant: whole"]]);
  });

  test("where no call tells anything, what the agent as a whole was asked", () => {
    const chain = spanOf({
      id: "01",
      from: 0,
      to: 2,
      attributes: {
        "openinference.span.kind": "CHAIN",
        "input.value": JSON.stringify({ question: "Is it open?" }),
        "output.value": JSON.stringify({ messages: [user("Is it open?"), said("It is.")] }),
      },
    });
    expect(chatsOf(batchOf(chain))).toEqual([["user: Is it open?", "assistant: It is."]]);
  });

  test("spans that name each other as parents, or a parent that is not there, are read", () => {
    const one = llm("02", "03", [1, 2], [user("a")], said("b"));
    const two = agent("03", "02", [0, 3], "loop");
    expect(chatsOf(batchOf(one, two))).toEqual([["user: a", "assistant: b"]]);
  });
});
