import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type RecordedRow, readRow } from "../../../intake/import/recorded-row.ts";
import { sessionEvents } from "../../../intake/import/recorded-session.ts";
import { learningKeyOf } from "../../../recording/learning-key.ts";
import { decodeEvent, encodeEvent } from "../../../schemas/codec.ts";
import type { AtlasEvent, EventOf, EventType } from "../../../schemas/generated/events.ts";
import { alreadyMasked } from "../../../schemas/masked.ts";
import { MAX_CONTENT_BYTES } from "../../../traces/content.ts";
import { foldSession } from "../../../traces/fold.ts";

const OPTIONS = { assumedStart: 1_000_000, rulesHash: "rules", mask: alreadyMasked };

function rowOf(value: unknown): RecordedRow {
  const row = readRow(typeof value === "string" ? value : JSON.stringify(value));
  if (typeof row === "string") throw new Error(row);
  return row;
}

const eventsOf = (value: unknown, options: Partial<Parameters<typeof sessionEvents>[1]> = {}): AtlasEvent[] =>
  sessionEvents(rowOf(value), { ...OPTIONS, ...options });

const ofType = <T extends EventType>(events: readonly AtlasEvent[], type: T): EventOf<T>[] =>
  events.filter((event): event is EventOf<T> => event.type === type);

const user = (content: unknown) => ({ role: "user", content });
const said = (content: unknown, ...tool_calls: unknown[]) => ({ role: "assistant", content, tool_calls });
const call = (name: string, args: unknown = "{}", id?: string) => ({
  id,
  type: "function",
  function: { name, arguments: args },
});
const result = (content: unknown, tool_call_id?: string, name?: string) => ({
  role: "tool",
  content,
  tool_call_id,
  name,
});

describe("the order of events", () => {
  test("a turn with two tool calls, answered in another order, and an answer", () => {
    const events = eventsOf({
      messages: [
        { role: "system", content: "be kind" },
        user("hi"),
        said(null, call("a", '{"x":1}', "c1"), call("b", "{}", "c2")),
        result("two", "c2"),
        result("one", "c1"),
        said("done"),
        user("bye"),
      ],
      reward: 0.5,
    });
    expect(events.map(({ type }) => type)).toEqual([
      "SessionStarted",
      "MessageRecorded",
      "MessageRecorded",
      ...["StepStarted", "AttemptStarted", "MessageRecorded", "ToolCallStarted", "ToolCallStarted"],
      ...[
        "MessageRecorded",
        "ToolCallEnded",
        "MessageRecorded",
        "ToolCallEnded",
        "AttemptEnded",
        "StepEnded",
      ],
      ...["StepStarted", "AttemptStarted", "MessageRecorded", "AttemptEnded", "StepEnded"],
      "MessageRecorded",
      ...["SessionEnded", "JudgementMade", "SessionJudged"],
    ]);
    expect(events.map(({ meta }) => meta.sequence)).toEqual(events.map((_, index) => index + 1));
    expect(
      ofType(events, "ToolCallEnded").map(({ call_id, name, output }) => [call_id, name, output]),
    ).toEqual([
      ["c2", "b", "two"],
      ["c1", "a", "one"],
    ]);
    expect(ofType(events, "StepStarted").map(({ description, tool }) => [description, tool])).toEqual([
      ["Call a, b", null],
      ["Answer", null],
    ]);
    expect(ofType(events, "MessageRecorded").map(({ step_id }) => step_id)).toEqual([
      null,
      null,
      1,
      1,
      1,
      2,
      null,
    ]);
    expect(ofType(events, "SessionStarted")[0]).toMatchObject({
      task: "hi",
      agent: "recorded",
      agent_kind: "recorded",
      origin: "import",
      executor_system_prompt: "be kind",
      learning_key: learningKeyOf({ agent: "recorded", task: "hi" }),
    });
    expect(ofType(events, "SessionEnded")[0]).toMatchObject({ status: "succeeded", final_answer: "done" });
    const [judgement] = ofType(events, "JudgementMade");
    expect(judgement).toMatchObject({ judge: "recorded", stage: "recorded", score: 0.5 });
    expect(ofType(events, "SessionJudged")[0]).toMatchObject({
      judgements: [judgement!.meta.event_id],
      missing: [],
      rules_hash: "rules",
    });
  });

  test("no recorded reward: no judgement, and the judge is missing", () => {
    const events = eventsOf({ messages: [user("hi")] });
    expect(ofType(events, "JudgementMade")).toEqual([]);
    expect(ofType(events, "SessionJudged")[0]).toMatchObject({ judgements: [], missing: ["recorded"] });
  });

  test("a reward of 0 is a judgement, and no failure", () => {
    const events = eventsOf({ messages: [user("hi"), said("no")], reward: 0 });
    expect(ofType(events, "JudgementMade")[0]!.score).toBe(0);
    expect(ofType(events, "SessionEnded")[0]!.status).toBe("succeeded");
    const failed = eventsOf({ messages: [user("hi")], status: "failed" });
    expect(ofType(failed, "SessionEnded")[0]!.status).toBe("failed");
  });
});

describe("tool calls", () => {
  const ends = (messages: unknown[]) =>
    ofType(eventsOf({ messages: [user("hi"), ...messages] }), "ToolCallEnded").map(
      ({ call_id, step_id, output, error }) => [call_id, step_id, output ?? error],
    );

  test("a result that was not recorded", () => {
    expect(ends([said(null, call("a", "{}", "c1")), user("?"), said("x")])).toEqual([
      ["c1", 1, "no result recorded"],
    ]);
    expect(ends([said(null, call("a", "{}", "c1"))])).toEqual([["c1", 1, "no result recorded"]]);
  });

  test("a result that comes after the next turn belongs to the turn that asked", () => {
    expect(ends([said(null, call("a", "{}", "c1")), said("meanwhile"), result("late", "c1")])).toEqual([
      ["c1", 1, "late"],
    ]);
  });

  test("ids that come again, and none at all", () => {
    expect(
      ends([
        said(null, call("a", "{}", "c")),
        result("1", "c"),
        said(null, call("a", "{}", "c")),
        result("2", "c"),
      ]),
    ).toEqual([
      ["c", 1, "1"],
      ["c#2", 2, "2"],
    ]);
    expect(ends([said(null, call("a"), call("b")), result("B", undefined, "b"), result("A")])).toEqual([
      ["step-1-call-2", 1, "B"],
      ["step-1-call-1", 1, "A"],
    ]);
  });

  test("a result that nobody asked for stays a message", () => {
    expect(ends([result("x", "c9"), said("a"), result("y", "c9")])).toEqual([]);
  });

  test("the older form with one function call", () => {
    const old = [
      { role: "assistant", content: null, function_call: { name: "f", arguments: '{"a": 1.0}' } },
      { role: "function", name: "f", content: "ok" },
    ];
    expect(ends(old)).toEqual([["step-1-call-1", 1, "ok"]]);
  });

  test("arguments keep their text; what is no JSON becomes a JSON string", () => {
    const text =
      '{"role":"assistant","tool_calls":[{"function":{"name":"a","arguments":{"n": 1.0, "big": 12345678901234567890}}}]}';
    const events = eventsOf(`{"messages":[{"role":"user","content":"hi"},${text}]}`);
    expect(ofType(events, "ToolCallStarted")[0]!.arguments).toBe('{"n": 1.0, "big": 12345678901234567890}');
    const broken = eventsOf({ messages: [user("hi"), said(null, call("a", "{oops"), call("b", ""))] });
    expect(ofType(broken, "ToolCallStarted").map((event) => event.arguments)).toEqual(['"{oops"', '""']);
  });

  test("results of other kinds than text", () => {
    const messages = [
      said(null, call("a"), call("b"), call("c")),
      result([
        { type: "text", text: "x" },
        { type: "text", text: "y" },
      ]),
      result([{ type: "image_url", image_url: { url: "u" } }]),
      result(null),
    ];
    expect(ends(messages).map(([, , output]) => output)).toEqual([
      "x\ny",
      '[{"type":"image_url","image_url":{"url":"u"}}]',
      "",
    ]);
  });
});

describe("times", () => {
  const times = (row: object, options = {}) =>
    eventsOf(row, options).map(({ meta }) => [meta.occurred_at, meta.time_assumed]);

  test("none recorded: a microsecond for each message, and said to be assumed", () => {
    expect(times({ messages: [user("a"), user("b")] })).toEqual([
      [1_000_000, true],
      [1_000_000, true],
      [1_000_001, true],
      [1_000_001, true],
      [1_000_001, true],
    ]);
  });

  test("the row's own: its start is recorded, its messages follow", () => {
    const row = { messages: [user("a"), user("b")], created_at: "2025-01-01T00:00:00Z" };
    const start = Date.parse("2025-01-01T00:00:00Z") * 1000;
    expect(times(row).slice(0, 3)).toEqual([
      [start, false],
      [start, true],
      [start + 1, true],
    ]);
  });

  test("the messages' own, with gaps, and never backwards", () => {
    const row = {
      messages: [
        user("a"),
        { ...user("b"), timestamp: 100 },
        { ...user("c"), timestamp: 99 },
        { ...user("d"), timestamp: 101.5 },
      ],
    };
    expect(times(row).slice(0, 5)).toEqual([
      [99_999_999, true],
      [99_999_999, true],
      [100_000_000, false],
      [100_000_001, true],
      [101_500_000, false],
    ]);
  });

  test("a row that was written after its messages were said", () => {
    const row = { messages: [{ ...user("a"), timestamp: 100 }], created_at: 500 };
    expect(times(row)[0]).toEqual([100_000_000, false]);
  });

  test("a duration only where both ends were recorded", () => {
    const ended = (row: object) => ofType(eventsOf(row), "SessionEnded")[0]!.duration_us;
    expect(ended({ messages: [user("a")], created_at: 1 })).toBeNull();
    expect(ended({ messages: [{ ...user("a"), timestamp: 4 }], created_at: 1 })).toBe(3_000_000);
  });
});

describe("identity", () => {
  const idOf = (value: unknown, options = {}) => eventsOf(value, options)[0]!.meta.session_id;
  const row = { id: 1, messages: [user("hi")], metadata: { a: 1, b: 2 } };

  test("white space, the order of keys and the time of the import do not count", () => {
    const other =
      '{ "metadata": {"b": 2.0, "a": 1}, "messages":\n[{"content": "\\u0068i", "role": "user"}], "id": 1}';
    expect(idOf(other)).toBe(idOf(row));
    expect(idOf(row, { assumedStart: 5, rulesHash: "other" })).toBe(idOf(row));
  });

  test("everything else does", () => {
    const ids = [
      idOf(row),
      idOf({ ...row, id: 2 }),
      idOf({ ...row, reward: 0 }),
      idOf({ ...row, messages: [user("Hi")] }),
      idOf({ ...row, extra: null }),
      idOf(row, { learningKey: "k" }),
      idOf('{"messages":[{"role":"user","content":"hi"}],"id":12345678901234567890}'),
      idOf('{"messages":[{"role":"user","content":"hi"}],"id":12345678901234567891}'),
      idOf('{"messages":[{"role":"user","content":"hi"}],"__proto__":{}}'),
      idOf('{"messages":[{"role":"user","content":"hi"}],"__proto__":{"a":1}}'),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("event ids follow from the session and the sequence", () => {
    const ids = eventsOf(row).map(({ meta }) => meta.event_id);
    expect(eventsOf(row).map(({ meta }) => meta.event_id)).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("what is kept", () => {
  test("messages and metadata, in the text that they were written in", () => {
    const message =
      '{"role": "user", "n": 1.0, "content": "a\\u00e9\\ud800\\u0000", "__proto__": {"x": 1e400}}';
    const metadata = '{ "big": 12345678901234567890, "1": 0 }';
    const events = eventsOf(`{"task": "t", "messages": [ ${message} ], "metadata": ${metadata}}`);
    expect(ofType(events, "MessageRecorded")[0]!.message).toBe(message);
    expect(ofType(events, "SessionStarted")[0]!.metadata).toBe(metadata);
  });

  test("fields of the row that mean nothing here go into the metadata", () => {
    const text =
      '{"messages": [{"role": "user", "content": "hi"}], "metadata": {"recorded": 1}, "split": 1.0, "tools": []}';
    expect(ofType(eventsOf(text), "SessionStarted")[0]!.metadata).toBe(
      '{"recorded": 1,"recorded_":{"split":1.0,"tools":[]}}',
    );
    const bare = '{"messages": [{"role": "user", "content": "hi"}], "split": "train"}';
    expect(ofType(eventsOf(bare), "SessionStarted")[0]!.metadata).toBe('{"recorded":{"split":"train"}}');
  });

  test("labels of the metadata", () => {
    const metadata = { agent: "a", model: "m", tags: ["x", 5], tenant: "t", project: "p", learning_key: "k" };
    expect(ofType(eventsOf({ id: 7, messages: [user("hi")], metadata }), "SessionStarted")[0]).toMatchObject({
      agent: "a",
      tags: ["x"],
      tenant: "t",
      project: "p",
      learning_key: "k",
      external_id: "7",
    });
  });

  test("a content of 3 MB is split, and joined again by the fold", () => {
    const long = "é\u{1f600}x".repeat(500_000);
    const row = rowOf({
      messages: [user("hi"), said(null, call("a", "{}", "c")), result(long, "c"), said(long)],
    });
    const events = sessionEvents(row, OPTIONS);
    expect(events.map(({ meta }) => meta.sequence)).toEqual(events.map((_, index) => index + 1));
    for (const event of events) expect(encodeEvent(event).body.length).toBeLessThanOrEqual(MAX_CONTENT_BYTES);
    const trace = foldSession(events);
    expect(trace.incomplete_reasons).toEqual([]);
    expect(trace.final_answer).toBe(long);
    expect(ofType(trace.events, "MessageRecorded").map(({ message }) => message)).toEqual(
      row.messages.map(({ raw }) => raw),
    );
    expect(ofType(trace.events, "ToolCallEnded")[0]!.output).toBe(long);
  });
});

const text = fc.string({ unit: "binary" });
const content = fc.oneof(text, fc.constant(null), fc.array(fc.oneof(text, fc.record({ type: text, text }))));
const message = fc.oneof(
  fc.record({ role: fc.constantFrom("system", "developer", "user"), content }, { requiredKeys: ["role"] }),
  fc.record(
    {
      role: fc.constant("assistant"),
      content,
      tool_calls: fc.option(
        fc.array(
          fc.record(
            {
              id: fc.oneof(fc.constantFrom("", "a", "b", "__proto__"), text),
              function: fc.record(
                { name: text, arguments: fc.oneof(text, fc.jsonValue()) },
                { requiredKeys: ["name"] },
              ),
            },
            { requiredKeys: ["function"] },
          ),
          { maxLength: 3 },
        ),
      ),
      __proto__: fc.jsonValue(),
    },
    { requiredKeys: ["role"] },
  ),
  fc.record(
    {
      role: fc.constantFrom("tool", "function"),
      content,
      tool_call_id: fc.constantFrom("a", "b", "a", "__proto__"),
      name: text,
    },
    { requiredKeys: ["role"] },
  ),
);
const timed = fc
  .tuple(
    message,
    fc.option(fc.oneof(fc.integer({ min: 0, max: 4e9 }), fc.constant("2024-02-29T12:00:00.5+02:00"))),
  )
  .map(([value, timestamp]) => (timestamp === null ? value : { ...value, timestamp }));

test("any conversation becomes a whole session that folds and encodes, and the same one again", () => {
  fc.assert(
    fc.property(
      fc.array(timed, { minLength: 1, maxLength: 12 }),
      fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      fc.dictionary(fc.oneof(text, fc.constant("__proto__")), fc.jsonValue()),
      (messages, reward, metadata) => {
        const source = JSON.stringify({ task: "t", messages, reward, metadata });
        const row = readRow(source);
        if (typeof row === "string") return expect(row).toContain("learning_key");
        const events = sessionEvents(row, OPTIONS);
        expect(sessionEvents(rowOf(source), OPTIONS)).toEqual(events);
        const times = events.map(({ meta }) => meta.occurred_at);
        expect(times).toEqual([...times].sort((a, b) => a - b));
        const read = events
          .map((event) => encodeEvent(event))
          .map(({ fingerprint, body }) => decodeEvent(fingerprint, body));
        const trace = foldSession(read);
        expect(trace.incomplete_reasons).toEqual([]);
        expect(trace.status).toBe("succeeded");
        expect(trace.steps.length).toBe(messages.filter(({ role }) => role === "assistant").length);
        expect(trace.steps.every(({ status }) => status === "succeeded")).toBe(true);
        const started = ofType(events, "ToolCallStarted").map(({ call_id }) => call_id);
        expect(new Set(started).size).toBe(started.length);
        expect(
          ofType(events, "ToolCallEnded")
            .map(({ call_id }) => call_id)
            .sort(),
        ).toEqual([...started].sort());
        for (const { arguments: args } of ofType(events, "ToolCallStarted")) JSON.parse(args);
        expect(
          ofType(events, "MessageRecorded").map(({ message: raw }) => JSON.parse(raw) as unknown),
        ).toEqual(JSON.parse(JSON.stringify(messages)));
      },
    ),
    { numRuns: 300 },
  );
});
