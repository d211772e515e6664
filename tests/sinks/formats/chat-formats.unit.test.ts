import { describe, expect, test } from "vitest";
import { formatOf } from "../../../sinks/datasets/formats.ts";
import { openaiChat } from "../../../sinks/formats/openai-chat.ts";
import { trlKto, trlMessages, trlPromptCompletion, trlRollouts } from "../../../sinks/formats/trl.ts";
import { trlPreference } from "../../../sinks/formats/trl-preference.ts";
import type { SessionTrace } from "../../../traces/session-trace.ts";
import { mixedPaths } from "../../traces/arrow-types.ts";
import { sessionWriter } from "../../traces/sessions.ts";
import {
  call,
  HARMLESS,
  HOSTILE,
  manySessions,
  recordedTrace,
  result,
  rollout,
  run,
  said,
  system,
  traceOf,
  user,
} from "./format-sessions.ts";

interface Line {
  messages: { role: string; content: string | null; tool_calls?: { id: string }[]; tool_call_id?: string }[];
  tools?: { function: { name: string } }[];
}

const linesOf = <T = Line>(
  format: { encode(trace: SessionTrace): readonly string[] },
  trace: SessionTrace,
): T[] => format.encode(trace).map((line) => JSON.parse(line) as T);

describe("chat for fine-tuning", () => {
  test("a recorded conversation is one line, up to its last answer", () => {
    const trace = recordedTrace([system("Be kind."), user("Hi"), said("Hello"), user("###STOP###")]);
    expect(linesOf(openaiChat, trace)).toEqual([
      { messages: [system("Be kind."), user("Hi"), { role: "assistant", content: "Hello" }] },
    ]);
  });

  test("calls of tools are answered right after, by their ids", () => {
    const trace = recordedTrace([
      user("Weather?"),
      said(null, call("a", "weather", '{"city":"Rome"}'), call("b", "weather", "")),
      result("b", "cold"),
      result("a", "warm"),
      said("Warm and cold."),
    ]);
    const [line] = linesOf(openaiChat, trace);
    expect(line!.messages[1]).toEqual({
      role: "assistant",
      content: null,
      tool_calls: [call("a", "weather", '{"city":"Rome"}'), call("b", "weather", "{}")],
    });
    expect(line!.messages.slice(2, 4)).toEqual([
      { role: "tool", tool_call_id: "b", content: "cold" },
      { role: "tool", tool_call_id: "a", content: "warm" },
    ]);
  });

  test("the tools that a recording declares come out again, and nothing is guessed of any other", () => {
    const messages = [user("Weather?"), said(null, call("a", "weather")), result("a", "warm"), said("Warm.")];
    const city = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
    const tools = ["weather", "unused"].map((name) => ({
      type: "function",
      function: { name, description: `The ${name} tool.`, parameters: city, strict: true },
    }));
    expect(linesOf(openaiChat, recordedTrace(messages, { tools }))[0]!.tools).toEqual(tools);
    expect(linesOf(openaiChat, recordedTrace(messages))[0]!.tools).toBeUndefined();
  });

  test("a refusal, a tool of free text, a result before its call, and one id for two calls", () => {
    const custom = { id: "p", type: "custom", custom: { name: "patch", input: "*** Begin" } };
    const trace = recordedTrace([
      user("Go"),
      result("p", "patched"),
      said(null, custom),
      said(null, call("x", "read"), call("x", "read")),
      result("x", "one"),
      result("x", "two"),
      { role: "assistant", content: null, refusal: "I will not." },
    ]);
    const [line] = linesOf(openaiChat, trace);
    expect(line!.messages.slice(1)).toEqual([
      { role: "assistant", content: null, tool_calls: [call("p", "patch", '{"input":"*** Begin"}')] },
      { role: "tool", tool_call_id: "p", content: "patched" },
      { role: "assistant", content: null, tool_calls: [call("x", "read"), call("x_2", "read")] },
      { role: "tool", tool_call_id: "x", content: "one" },
      { role: "tool", tool_call_id: "x_2", content: "two" },
      { role: "assistant", content: "I will not." },
    ]);
  });

  test("calls without ids, and the function calls of before, get ids that fit", () => {
    const trace = recordedTrace([
      user("Log it"),
      { role: "assistant", content: null, function_call: { name: "log", arguments: '{"n":1}' } },
      { role: "function", name: "log", content: "ok" },
      said("Logged"),
    ]);
    const [line] = linesOf(openaiChat, trace);
    const { id } = line!.messages[1]!.tool_calls![0]!;
    expect(line!.messages[2]).toEqual({ role: "tool", tool_call_id: id, content: "ok" });
  });

  test.each([
    ["nothing-answered", [user("Hi"), said("")]],
    ["tool-call-unanswered", [user("Hi"), said(null, call("a", "x")), user("?"), said("Well")]],
    ["tool-result-without-call", [user("Hi"), result("q", "late"), said("Well")]],
    [
      "tool-arguments-not-json",
      [user("Hi"), said(null, call("a", "x", "{oops")), result("a", "?"), said("Well")],
    ],
    [
      "content-not-text",
      [user("See:"), { role: "user", content: [{ type: "image_url", image_url: {} }] }, said("A cat")],
    ],
  ])("what cannot be written so is left out: %s", (reason, messages) => {
    const trace = recordedTrace(messages);
    expect(openaiChat.encode(trace)).toEqual([]);
    expect(openaiChat.reasonAgainst(trace)).toBe(reason);
    expect(trlMessages.encode(trace)).toEqual([]);
  });

  test("a conversation that ends with calls of tools is kept", () => {
    const trace = recordedTrace([user("Bye"), said(null, call("a", "hang_up"))]);
    expect(linesOf(openaiChat, trace)[0]!.messages.at(-1)!.tool_calls).toHaveLength(1);
  });

  test("a run gives a line for the last attempt of each step that succeeded", () => {
    const lines = linesOf(openaiChat, run("steps"));
    expect(lines.map(({ messages }) => messages)).toEqual([
      [user("Look"), { role: "assistant", content: "found 2" }],
      [system("Count well."), user("Count steps\n\nCount"), { role: "assistant", content: "3" }],
    ]);
  });

  test("a retry that goes on with the conversation has all that was said before", () => {
    const { events, emit } = sessionWriter("retry");
    emit("SessionStarted", { task: "Add", learning_key: "k", agent: "x" });
    emit("StepStarted", { step_id: 1, description: "Add" });
    const opening = [system("Add well."), user("2 + 2?")];
    const asked = [opening, [...opening, { role: "assistant", content: "5" }, user("Check again.")]];
    let index = 0;
    for (const [at, messages] of asked.entries()) {
      const place = { step_id: 1, attempt: at + 1 };
      emit("AttemptStarted", { ...place, guidance: at === 0 ? [] : ["Check again."] });
      for (const message of at === 0 ? opening : messages.slice(-1))
        emit("MessageRecorded", {
          ...place,
          index: index++,
          role: message.role,
          message: JSON.stringify(message),
        });
      const model = { ...place, call_id: `c${at}`, role: "student", provider: "p", model: "m" };
      emit("ModelCallStarted", { ...model, messages: JSON.stringify(messages) });
      emit("ModelCallEnded", { ...model, content: String(5 - at) });
      const answer = { role: "assistant", content: String(5 - at) };
      emit("MessageRecorded", {
        ...place,
        index: index++,
        role: "assistant",
        message: JSON.stringify(answer),
      });
      emit("AttemptEnded", { ...place, status: "completed", output: answer.content });
      emit("StepValidated", { ...place, verdict: at === 0 ? "invalid" : "valid", reason: null });
      if (at === 0) emit("GuidanceGiven", { ...place, note: "Check again." });
    }
    emit("StepEnded", { step_id: 1, status: "succeeded", attempts: 2, output: "4" });
    emit("SessionEnded", { learning_key: "k", status: "succeeded", final_answer: "4" });
    const trace = traceOf(events, false);
    // What the teacher rejected is no turn to learn, and the accepted one does not rest on guidance.
    const answer = { role: "assistant", content: "4" };
    expect(linesOf(openaiChat, trace)[0]!.messages).toEqual([...opening, answer]);
    expect(linesOf(trlMessages, trace)[0]!.messages.map(({ content }) => content)).toEqual([
      ...opening.map(({ content }) => content),
      "4",
    ]);
    const [weighed] = linesOf(openaiChat.with("rejected=weight"), trace);
    const [first, second, wrong, guidance] = asked[1]!;
    expect(weighed!.messages).toEqual([first, second, { ...wrong, weight: 0 }, guidance, answer]);
    const [prompted] = linesOf<{ prompt: { content: string }[] }>(
      trlPromptCompletion.with("rejected=prompt"),
      trace,
    );
    expect(prompted!.prompt.map(({ content }) => content)).toEqual(asked[1]!.map(({ content }) => content));
    const [pair] = linesOf<Record<string, { content: string }[]>>(trlPreference, trace);
    expect(
      [pair!.prompt, pair!.rejected, pair!.chosen].map((of) => of!.map(({ content }) => content)),
    ).toEqual([["Add well.", "2 + 2?"], ["5"], ["4"]]);
  });
});

describe("records for TRL", () => {
  test("every turn of the agent is a completion, calls of tools too; with turns=last its last answer alone", () => {
    const trace = recordedTrace([
      user("a"),
      said(null, call("x", "look", '{"n":1}')),
      result("x", "seen"),
      said("b"),
      user("c"),
      said("d"),
    ]);
    const [whole] = linesOf(trlMessages, trace);
    const cut = linesOf<{ prompt: unknown[]; completion: { content: string }[] }>(trlPromptCompletion, trace);
    expect(cut.map(({ prompt, completion }) => [prompt.length, completion[0]!.content])).toEqual([
      [1, ""],
      [3, "b"],
      [5, "d"],
    ]);
    for (const { prompt, completion } of cut)
      expect(whole!.messages.slice(0, prompt.length + 1)).toEqual([...prompt, ...completion]);
    expect(linesOf(trlPromptCompletion.with("turns=last"), trace)).toEqual(cut.slice(-1));
  });

  test("arguments are objects, which chat templates write out; text on request, and always in openai-chat", () => {
    const trace = recordedTrace([
      user("a"),
      said(null, call("x", "look", '{"n":1}')),
      result("x", "seen"),
      said("b"),
    ]);
    const argumentsIn = (format: Parameters<typeof linesOf>[0]) =>
      linesOf<{ messages: { tool_calls?: { function: { arguments: unknown } }[] }[] }>(format, trace)[0]!
        .messages[1]!.tool_calls![0]!.function.arguments;
    expect(argumentsIn(trlMessages)).toEqual({ n: 1 });
    expect(argumentsIn(trlMessages.with("arguments=text"))).toBe('{"n":1}');
    expect(argumentsIn(openaiChat)).toBe('{"n":1}');
  });

  test("reasoning comes on request", () => {
    const trace = recordedTrace([user("a"), { ...said("b"), reasoning_content: "Hm." }]);
    expect(JSON.stringify(linesOf(trlMessages, trace))).not.toContain("Hm.");
    expect(linesOf(trlMessages.with("reasoning=yes"), trace)[0]!.messages[1]).toMatchObject({
      reasoning_content: "Hm.",
    });
    expect(linesOf(openaiChat.with("reasoning=yes"), trace)[0]!.messages[1]).toMatchObject({
      reasoning_content: "Hm.",
    });
  });

  test("options stand behind the name, and what is none is told", () => {
    expect(formatOf("trl-messages:arguments=text").name).toBe("trl-messages:arguments=text");
    for (const name of ["trl-messages:arguments=xml", "trl-messages:colour=red", "parquet:x=y", "atlas:x=y"])
      expect(() => formatOf(name)).toThrow(expect.objectContaining({ code: "ATLAS_USAGE" }) as Error);
  });

  test("what was approved is wanted, what was quarantined is not, and the rest has no label", () => {
    const decided = (review_status: SessionTrace["review_status"]): SessionTrace => ({
      ...run("kto"),
      review_status,
    });
    expect(linesOf<{ label: boolean }>(trlKto, decided("approved")).map(({ label }) => label)).toEqual([
      true,
      true,
    ]);
    expect(linesOf<{ label: boolean }>(trlKto, decided("quarantined"))[0]!.label).toBe(false);
    expect(trlKto.reasonAgainst(decided("pending"))).toBe("not-decided");
  });

  test("a rollout keeps calls of tools, their results, and the tools", () => {
    const tools = [
      { type: "function", function: { name: "look", parameters: { type: "object", properties: {} } } },
    ];
    const trace = recordedTrace(
      [user("a"), said(null, call("x", "look", "{}")), result("x", "seen"), said("b")],
      {
        tools,
        group_id: "g",
        reward: 1,
      },
    );
    const rewarded = { ...trace, reward: run("r").reward };
    const [row] = linesOf<{ completion: { role: string }[]; tools: string }>(trlRollouts, rewarded);
    expect(row!.completion.map(({ role }) => role)).toEqual(["assistant", "tool", "assistant"]);
    expect(JSON.parse(row!.tools)).toEqual(tools);
  });

  test("a rejected attempt stands against the accepted one, under the prompt without guidance", () => {
    const pairs = linesOf<Record<string, unknown>>(trlPreference, run("pair"));
    expect(pairs).toHaveLength(1);
    expect(pairs[0]).toMatchObject({
      prompt: [{ role: "user", content: "Look" }],
      rejected: [{ role: "assistant", content: "found 1" }],
      chosen: [{ role: "assistant", content: "found 2" }],
      guidance: ["Look again."],
      rejected_attempt: 1,
      chosen_attempt: 2,
      step_id: 1,
    });
    const without = recordedTrace([user("Hi"), said("Hello")]);
    expect(trlPreference.reasonAgainst(without)).toBe("no-rejected-attempt");
  });

  test("rollouts of one group share a prompt and have their own rewards; a missing reward is not 0", () => {
    const rows = [0, 1].flatMap((number) =>
      linesOf<Record<string, unknown>>(trlRollouts, rollout("g", number, number / 2)),
    );
    expect(rows.map(({ group_id, rollout: of, reward }) => [group_id, of, reward])).toEqual([
      ["g", 0, 0],
      ["g", 1, 0.5],
    ]);
    expect(rows[0]!.prompt).toEqual(rows[1]!.prompt);
    expect(trlRollouts.reasonAgainst(run("alone"))).toBe("no-group");
    const unjudged = linesOf<{ reward: unknown }>(trlMessages, manySessions()[2]!);
    expect(unjudged[0]!.reward).toBeNull();
  });
});

test.each([trlMessages, trlPromptCompletion, trlPreference, trlRollouts])(
  "$name: every path has one type over all sessions, but for arguments of tools, which are text on request",
  (format) => {
    const pathsOf = (chosen: typeof format): string[] => {
      const records = manySessions().flatMap((trace) => linesOf<unknown>(chosen, trace));
      expect(records.length).toBeGreaterThan(0);
      return mixedPaths(records);
    };
    expect(pathsOf(format.with("arguments=text"))).toEqual([]);
    expect(pathsOf(format).filter((path) => !String(path).includes("arguments"))).toEqual([]);
  },
);

test.each([openaiChat, trlMessages, trlPromptCompletion])("$name: hostile texts stay texts", (format) => {
  const trace = manySessions()[2]!;
  const [line] = format.encode(trace);
  expect(line).not.toMatch(/[\u0085\u2028\u2029\n\0]/);
  expect(line!.isWellFormed()).toBe(true);
  expect(line).toContain(JSON.stringify(HARMLESS).slice(1, 20));
  expect(HOSTILE.isWellFormed()).toBe(false);
  const keys = linesOf<Record<string, unknown>>(format, manySessions()[5]!);
  expect(JSON.stringify(keys)).toContain("__proto__");
  expect(Object.getPrototypeOf(keys[0])).toBe(Object.prototype);
});
