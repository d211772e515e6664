import { expect, test } from "vitest";
import { parseExact } from "../../../intake/exact-json.ts";
import { expectAccountedFor, onlySession, readValues } from "./accounts-for.ts";
import { broken, header, price, stock } from "./fixtures/inspect-log.ts";

const micros = (iso: string): number => Date.parse(iso) * 1000;
const chatOf = (events: ReturnType<typeof readValues>["events"][number]) =>
  events
    .filter((event) => event.type === "MessageRecorded")
    .map(({ message }) => JSON.parse(message) as object);

const log = {
  ...header,
  samples: [stock, price, broken],
  reductions: [{ scorer: "match", samples: [{ value: 1 }] }],
};

/** What is told, or stands in the log as something else. */
const ELSEWHERE = {
  timestamp: "told: times of events",
  completed: "the time of a message",
  event: "told: kinds of events",
  name: "told: spans; names of tools",
  message: "the error of the sample",
  input_tokens: "counts of usage",
  output_tokens: "counts of usage",
  total_tokens: "counts of usage",
  input_tokens_cache_read: "counts of usage",
  reasoning_tokens: "counts of usage",
  total_cost: "the cost of a call",
  redacted: "false says nothing",
  started_at: "the start of the session",
  completed_at: "its end",
  "0": "told: ids of all samples; places of messages",
  "1": "told: ids of all samples; places of messages",
  value: "the score of a judge, on a scale of 0 to 1; told: reductions",
  additionalProperties: "in the tool's definition, as text",
  type: "parts of other shapes",
  source: "in the message",
  id: "the names of samples and calls",
  epoch: "the rollout",
  model: "in the messages",
  description: "refers to an attachment",
  hint: "refers to an attachment",
  image: "refers to an attachment",
};

test("a session for each sample and epoch, and nothing of them is dropped", () => {
  const { formats, sessions, notes } = expectAccountedFor([log], ELSEWHERE);
  expect(formats).toEqual(["inspect", "inspect", "inspect"]);
  expect(sessions.map(({ started }) => [started?.group_id, started?.rollout, started?.external_id])).toEqual([
    ["shop_floor/stock", 1, "uU1"],
    ["shop_floor/price", 2, "rN4/price/epoch_2"],
    ["shop_floor/7", 1, "rN4/7/epoch_1"],
  ]);
  expect(sessions.map(({ started }) => [started?.agent, started?.tags])).toEqual(
    Array(3).fill(["openai/gpt-x", ["nightly"]]),
  );
  expect(notes).toEqual([
    "eval.dataset.sample_ids lists the ids of all samples: it is left out",
    "reductions are made of the scores of several samples: they are left out",
    "events of models, tools, states and spans are left out, as they repeat the messages: times, usage and tools are taken from them",
    "a score of words is neither a number nor C, I, P or N: it is kept with the metadata",
  ]);
});

test("messages are chat: thoughts, calls with their results, and why a tool failed", () => {
  const { events } = readValues([log]);
  expect(chatOf(events[0]!)).toMatchObject([
    { role: "system", content: "You keep the shop." },
    { role: "user", content: "How many bolts are left?" },
    {
      role: "assistant",
      content: "I look.",
      reasoning_content: "The tool knows.",
      tool_calls: [{ id: "c1", type: "function", function: { name: "stock", arguments: '{"item":"bolt"}' } }],
    },
    {
      role: "tool",
      name: "stock",
      tool_call_id: "c1",
      content: "The stock list did not answer.",
      error: { type: "timeout" },
    },
    { role: "assistant", content: "None are left." },
  ]);
  const calls = events[0]!.filter(({ type }) => type === "ToolCallEnded");
  expect(calls).toMatchObject([{ call_id: "c1", output: "The stock list did not answer." }]);
});

test("a tool that the provider ran is a call with a result, and images are resolved", () => {
  const { events } = readValues([log]);
  expect(chatOf(events[1]!)).toMatchObject([
    {
      role: "user",
      content: [
        { type: "text", text: "What is on this tag?" },
        { type: "image_url", image_url: { url: "data:image/png;base64,aWltYWdl", detail: "low" } },
      ],
    },
    {
      role: "assistant",
      content: "I search.",
      tool_calls: [{ id: "s1", function: { name: "web_search", arguments: '{"query":"price tag"}' } }],
    },
    { role: "tool", tool_call_id: "s1", content: "3.50" },
    { role: "assistant", content: "It is 3.50." },
  ]);
});

test("scores are judgements, whatever they are written as", () => {
  const { sessions } = readValues([log]);
  const judged = sessions[0]!.judgements.map(({ judge, score, rationale }) => [judge, score, rationale]);
  expect(judged).toEqual([
    ["match", 1, "It says that none are left."],
    ["style/clear", 1, null],
    ["style/polite", 0.5, null],
  ]);
  expect(sessions[0]!.started?.ground_truth).toBe('["0","none"]');
  for (const [value, score] of [
    ["I", 0],
    ["P", 0.5],
    ["N", 0],
    [true, 1],
    ["no", 0],
    ["0.75", 0.75],
  ] as const) {
    const session = onlySession({ ...header, samples: [{ ...price, scores: { match: { value } } }] });
    expect(session.judgements.map((judgement) => judgement.score)).toEqual([score]);
  }
  const listed = onlySession({ ...header, samples: [{ ...price, scores: { match: { value: [1, 0] } } }] });
  expect(listed.judgements.map(({ judge, score }) => [judge, score])).toEqual([
    ["match/0", 1],
    ["match/1", 0],
  ]);
});

test("an error and a limit are how a sample ended", () => {
  const { sessions } = readValues([log]);
  expect(sessions.map(({ status, error }) => [status, error])).toEqual([
    ["succeeded", null],
    ["failed", "stopped at its message limit of 30"],
    ["failed", "the sandbox went away"],
  ]);
  const stopped = onlySession({ ...header, samples: [{ ...price, limit: { type: "operator", limit: 1 } }] });
  expect(stopped.status).toBe("cancelled");
});

test("tools, times and usage come from the events", () => {
  const { sessions, events } = readValues([log]);
  const [session] = sessions;
  expect(JSON.parse(session!.started!.tools!)).toEqual([
    {
      type: "function",
      function: {
        name: "stock",
        description: "Says how much of an item is left.",
        parameters: {
          type: "object",
          properties: { item: { type: "string", description: "Which item." } },
          required: ["item"],
          additionalProperties: false,
        },
      },
    },
  ]);
  const said = events[0]!
    .filter(({ type }) => type === "MessageRecorded")
    .map(({ meta }) => meta.occurred_at);
  expect(said.slice(2)).toEqual(
    ["10:00:04", "10:00:09", "10:00:12"].map((time) => micros(`2026-02-03T${time}+01:00`)),
  );
  expect(session!.created_at).toBe(micros("2026-02-03T10:00:02+01:00"));
  expect(session!.completed_at).toBe(micros("2026-02-03T10:00:14+01:00"));
  expect(session!.usage).toMatchObject({ prompt_tokens: 100, completion_tokens: 18, total_tokens: 118 });
  expect(session!.cost).toBe(0.002);
  expect(session!.steps[0]!.attempts[0]!.usage).toMatchObject({
    prompt_tokens: 40,
    completion_tokens: 12,
    cached_tokens: 8,
    reasoning_tokens: 4,
  });
});

test("the first logs: a transcript with its content, one score, a scorer in the results", () => {
  const old = {
    version: 1,
    status: "success",
    eval: { task: "popularity", run_id: "r1", created: "2024-05-01T10:00:00", model: "m" },
    plan: { steps: [] },
    results: { scorer: { name: "includes" }, metrics: {} },
    samples: [
      {
        id: 1,
        epoch: 1,
        input: "Say yes.",
        target: "yes",
        messages: [
          { role: "user", content: "tc://a1" },
          { role: "assistant", content: "yes", tool_calls: [], reasoning: "easy" },
          { role: "tool", content: "", tool_error: "no such tool" },
        ],
        score: { value: "C" },
        transcript: {
          events: [{ event: "logger", message: "tc://a2" }],
          content: { a1: "Say yes.", a2: "slow" },
        },
      },
    ],
  };
  const { events, sessions } = expectAccountedFor([old], {
    value: "the score",
    content: "resolved",
    message: "resolved",
    created: "the start",
    id: "the group",
    epoch: "the rollout",
  });
  expect(chatOf(events[0]!)).toMatchObject([
    { role: "user", content: "Say yes." },
    { role: "assistant", content: "yes", reasoning_content: "easy" },
    { role: "tool", content: "no such tool" },
  ]);
  expect(sessions[0]!.judgements).toMatchObject([{ judge: "includes", score: 1 }]);
  expect(sessions[0]!.created_at).toBe(micros("2024-05-01T10:00:00Z"));
  expect(sessions[0]!.started?.metadata).toContain("slow");
});

test("numbers that JavaScript cannot hold keep all of their digits", () => {
  const digits = "12345678901234567890";
  const seed = parseExact(digits);
  const session = onlySession({
    ...header,
    samples: [{ ...price, metadata: { seed }, scores: { match: { value: seed } } }],
  });
  expect(session.started?.metadata).toContain(`"seed":${digits}`);
});

test("the same sample is the same session, also in another log", () => {
  const first = onlySession({ ...header, samples: [stock] });
  const retried = onlySession({
    ...header,
    status: "error",
    eval: { ...header.eval, run_id: "r9" },
    samples: [stock],
  });
  expect(retried.session_id).toBe(first.session_id);
  const ids = [header, { ...header, eval: { ...header.eval, run_id: "r9" } }].map(
    (each) => onlySession({ ...each, samples: [price] }).session_id,
  );
  expect(new Set(ids).size).toBe(2);
});

test("fields that are not as they should be stay in the metadata", () => {
  const odd = {
    ...price,
    scores: "none yet",
    events: "many",
    attachments: 7,
    target: {},
    epoch: "second",
    input: 3,
    output: "x",
  };
  expectAccountedFor([{ ...header, samples: [odd] }], ELSEWHERE);
});

test("what is no conversation is told", () => {
  const reasonsOf = (value: unknown): string[] => readValues([value]).problems;
  expect(reasonsOf(header)).toEqual([
    "the log has no samples: it was written without them, or before one had ended",
  ]);
  expect(reasonsOf({ ...header, samples: [] })).toEqual(["the list of samples is empty"]);
  expect(reasonsOf({ ...header, samples: [{ id: 1, epoch: 1 }] })).toEqual(["samples[0] has no messages"]);
  const { notes, sessions } = readValues([
    { ...header, samples: [{ id: 1, messages: [{ content: "x" }] }, price] },
  ]);
  expect(sessions).toHaveLength(1);
  expect(notes).toContain("samples[0].messages[0].role is missing: the sample is left out");
});
