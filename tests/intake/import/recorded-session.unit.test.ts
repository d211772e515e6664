import { describe, expect, test } from "vitest";
import { sessionOf } from "../../../intake/import/recorded-session.ts";
import { learningKeyOf } from "../../../recording/learning-key.ts";
import { encodeEvent } from "../../../schemas/codec.ts";
import { MAX_CONTENT_BYTES } from "../../../traces/content.ts";
import { foldSession } from "../../../traces/fold.ts";
import { call, eventsOf, OPTIONS, ofType, recordingOf, result, said, user } from "./recorded-rows.ts";

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
      ["hi", null],
      ["hi", null],
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
  test("messages and metadata, to the last digit", () => {
    const message = '{"role":"user","n":1.5,"content":"aé\\ud800\\u0000","__proto__":{"x":1e400}}';
    const metadata = '{"1":0,"big":12345678901234567890}';
    const events = eventsOf(`{"task": "t", "messages": [ ${message} ], "metadata": ${metadata}}`);
    expect(ofType(events, "MessageRecorded")[0]!.message).toBe(message);
    expect(ofType(events, "SessionStarted")[0]!.metadata).toBe(metadata);
  });

  test("fields of the row that mean nothing here go into the metadata", () => {
    const text =
      '{"messages": [{"role": "user", "content": "hi"}], "metadata": {"recorded": 1}, "split": 1.0, "tools": []}';
    expect(ofType(eventsOf(text), "SessionStarted")[0]!.metadata).toBe(
      '{"recorded":1,"recorded_":{"split":1,"tools":[]}}',
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
    const recording = recordingOf({
      messages: [user("hi"), said(null, call("a", "{}", "c")), result(long, "c"), said(long)],
    });
    const { events } = sessionOf(recording, OPTIONS);
    expect(events.map(({ meta }) => meta.sequence)).toEqual(events.map((_, index) => index + 1));
    for (const event of events) expect(encodeEvent(event).body.length).toBeLessThanOrEqual(MAX_CONTENT_BYTES);
    const trace = foldSession(events);
    expect(trace.incomplete_reasons).toEqual([]);
    expect(trace.final_answer).toBe(long);
    expect(ofType(trace.events, "MessageRecorded").map(({ message }) => message)).toEqual(
      recording.conversation.messages.map(({ message }) => JSON.stringify(message)),
    );
    expect(ofType(trace.events, "ToolCallEnded")[0]!.output).toBe(long);
  });
});
