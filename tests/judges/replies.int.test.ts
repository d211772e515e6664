import { describe, expect, test } from "vitest";
import { panelOf } from "../../app/configured-judges.ts";
import { defineJudge } from "../../judges/define-judge.ts";
import type { Judge } from "../../judges/judge.ts";
import { JUDGED_BUDGET } from "../../judges/judged-session.ts";
import { type ModelJudgeOptions, modelJudge } from "../../judges/model-judge.ts";
import { openaiModel } from "../../models/openai.ts";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { modelAgent } from "../../producers/agents/model-agent.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import type { AtlasEvent, EventOf, EventType } from "../../schemas/generated/events.ts";
import { DEFAULT_RULES } from "../../schemas/rules.ts";
import { eventually } from "../eventually.ts";
import { type Answer, completion, json } from "../models/model-server.ts";
import { run } from "../producers/sessions.ts";
import { type Asked, type JudgeServer, reply, startJudge } from "./judge-server.ts";

const { rubric } = DEFAULT_RULES;
const teacher = simulatedModel();
const agent = functionAgent(() => "forty-two", { name: "mine" });

const client = (server: JudgeServer, model = "small") =>
  openaiModel({ model, baseUrl: server.url, maxRetries: 0, provider: "local" });
const judgeOf = (server: JudgeServer, options: Partial<ModelJudgeOptions> = {}) =>
  modelJudge({ name: "process", small: client(server), temperatures: [0.2], ...options });
const judged = (judges: readonly Judge[], more: Partial<Parameters<typeof run>[0]> = {}) =>
  run({ agent, teacher, judge: panelOf(judges, rubric), ...more });
const of = <T extends EventType>(events: readonly AtlasEvent[], type: T): EventOf<T>[] =>
  events.filter((event): event is EventOf<T> => event.type === type);

const says =
  (content: string | null): Answer =>
  (_, response) =>
    json(response, completion(content));
const BAD: readonly (readonly [what: string, answer: Answer, reason: RegExp, timeoutMs?: number])[] = [
  ["nothing at all", says(""), /could not be read/],
  ["no content", says(null), /./],
  ["prose", says("It is rather good, I should say."), /could not be read/],
  ["a list", says("[0.8]"), /could not be read/],
  ["a list of replies", says(`[${reply({ score: 0.8 })}]`), /could not be read/],
  ["a number", says("0.8"), /could not be read/],
  ["other keys", says('{"verdict": "good"}'), /score/],
  ["no uncertainty", says('{"score": 0.8, "rationale": "r"}'), /uncertainty/],
  ["a score in words", says('{"score": "0.8", "uncertainty": 0.1, "rationale": "r"}'), /score/],
  ["true for a score", says('{"score": true, "uncertainty": 0.1, "rationale": "r"}'), /score/],
  ["null for a score", says('{"score": null, "uncertainty": 0.1, "rationale": "r"}'), /score/],
  ["NaN", says('{"score": NaN, "uncertainty": 0.1, "rationale": "r"}'), /could not be read/],
  ["infinity", says('{"score": 1e999, "uncertainty": 0.1, "rationale": "r"}'), /score/],
  ["85 of 100", says(reply({ score: 85 })), /not between 0 and 1/],
  ["less than nothing", says(reply({ score: -1 })), /not between 0 and 1/],
  ["uncertainty 2", says(reply({ score: 0.5, uncertainty: 2 })), /not between 0 and 1/],
  ["half a reply", says('{"score": 0.8, "uncertainty": 0.1, "rati'), /could not be read/],
  ["an error", (_, response) => json(response, { error: { message: "broken" } }, 500), /500/],
  ["a page", (_, response) => void response.writeHead(200).end("<html>"), /./],
  ["a closed connection", (_, response) => void response.destroy(), /./],
  ["no answer in time", () => undefined, /within 300 ms/, 300],
];

describe("a judge that answers with", () => {
  for (const [what, answer, reason, modelTimeoutMs] of BAD)
    test(`${what} gives no score`, async () => {
      const server = await startJudge((request, response) => answer(request, response));
      const { result, events } = await judged([judgeOf(server)], { modelTimeoutMs });
      expect(result.reward).toBeUndefined();
      expect(of(events, "JudgementMade")).toEqual([]);
      expect(of(events, "JudgementFailed")).toMatchObject([
        { judge: "process", stage: "sample", temperature: 0.2, reason: expect.stringMatching(reason) },
      ]);
      expect(of(events, "SessionJudged")).toMatchObject([{ judgements: [], missing: ["process"] }]);
    });
});

test.each<[string, object, { rationale: string | null; principles: string }]>([
  ["nothing else", {}, { rationale: null, principles: "[]" }],
  ["nulls beside", { rationale: null, principles: null }, { rationale: null, principles: "[]" }],
  [
    "other forms beside",
    { rationale: ["a", "b"], principles: "truth" },
    { rationale: '["a","b"]', principles: "[]" },
  ],
  ["principles by name", { principles: ["truth"] }, { rationale: null, principles: '["truth"]' }],
])("a score and an uncertainty are enough, with %s", async (_what, beside, kept) => {
  const server = await startJudge(() => JSON.stringify({ score: 0.85, uncertainty: 0.1, ...beside }));
  const { result, events } = await judged([judgeOf(server)]);
  expect(result.reward).toMatchObject({ score: 0.85, uncertainty: 0.1 });
  expect(of(events, "JudgementMade")).toMatchObject([{ score: 0.85, ...kept }]);
  expect(server.asked()).toHaveLength(1);
});

test("a fenced reply is read, and what it took to get it is recorded", async () => {
  const server = await startJudge(() => `Here it is:\n\`\`\`json\n${reply({ score: 0.8 })}\n\`\`\``);
  const { result, events } = await judged([judgeOf(server, { temperatures: [0.2, null] })]);
  expect(result.reward).toEqual({ score: 0.8, uncertainty: 0.1, rationale: "so it seems" });
  const made = of(events, "JudgementMade");
  expect(made).toMatchObject([
    { temperature: 0.2, prompt_version: "process-judge.v1", provider: "local", model: "served-model-2" },
    { temperature: null, usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 } },
  ]);
  expect(JSON.parse(made[0]!.principles!)).toEqual([{ name: "truth", weight: 1 }]);
  expect(server.asked().map(({ temperature }) => temperature)).toEqual([0.2, undefined]);
  const calls = of(events, "ModelCallEnded").filter(({ role }) => role === "judge");
  expect(new Set(made.map(({ call_id }) => call_id))).toEqual(new Set(calls.map(({ call_id }) => call_id)));
});

test("a reply that cannot be read is sent back once; the second one counts, with the tokens of both", async () => {
  let times = 0;
  const server = await startJudge(() => (times++ === 0 ? "hm" : reply({ score: 0.3 })));
  const { events } = await judged([judgeOf(server)]);
  expect(of(events, "JudgementMade")).toMatchObject([{ score: 0.3, usage: { total_tokens: 36, calls: 2 } }]);
});

describe("contested samples", () => {
  const byTemperature = (large: string) => (asked: Asked) =>
    asked.model === "large"
      ? large
      : reply({ score: Number(asked.temperature), uncertainty: 0.1, rationale: `at ${asked.temperature}` });
  const contested = async (large: string, temperatures: number[], more: Partial<ModelJudgeOptions> = {}) => {
    const server = await startJudge(byTemperature(large));
    const judge = judgeOf(server, { temperatures, large: client(server, "large"), ...more });
    return { server, ...(await judged([judge])) };
  };

  test("are settled by the large model, which sees them; they stay beside what it says", async () => {
    const { server, result, events } = await contested(reply({ score: 0.6, uncertainty: 0 }), [0.2, 0.9]);
    const made = of(events, "JudgementMade");
    expect(made.map(({ stage, score }) => [stage, score])).toEqual([
      ["sample", 0.2],
      ["sample", 0.9],
      ["arbitration", 0.6],
    ]);
    expect(made[2]).toMatchObject({ prompt_version: "process-judge.v1+arbitration.v1" });
    expect(of(events, "SessionJudged")[0]?.judgements).toEqual(made.map(({ meta }) => meta.event_id));
    // What was contested does not look certain: the uncertainty is that of the samples.
    expect(result.reward).toMatchObject({ score: 0.6, uncertainty: 0.1 });
    const arbitration = JSON.parse(server.asked().at(-1)!.material) as { samples: { score: number }[] };
    expect(arbitration.samples.map(({ score }) => score)).toEqual([0.2, 0.9]);
  });

  test("stand as they are where the large model gives no score", async () => {
    const { result, events } = await contested("I cannot say.", [0.2, 0.9]);
    expect(of(events, "JudgementFailed")).toMatchObject([{ stage: "arbitration" }]);
    expect(result.reward?.score).toBe(0.55);
  });

  test("are those past a threshold, not at it", async () => {
    const settled = async (temperatures: number[], more: Partial<ModelJudgeOptions>) =>
      of((await contested(reply({ score: 0.5 }), temperatures, more)).events, "JudgementMade").length >
      temperatures.length;
    expect(await settled([0.25, 0.75], { spreadThreshold: 0.25 })).toBe(false);
    expect(await settled([0.25, 0.75], { spreadThreshold: 0.24 })).toBe(true);
    expect(await settled([0.5], { uncertaintyThreshold: 0.1 })).toBe(false);
    expect(await settled([0.5], { uncertaintyThreshold: 0.09 })).toBe(true);
  });
});

test("steps are judged each for itself, the session as a whole, by who is to do that", async () => {
  const server = await startJudge(({ material }: Asked) => {
    const { step } = JSON.parse(material) as { step?: { id: number } };
    return reply({ score: step === undefined ? 0.9 : step.id / 10 });
  });
  const steps = defineJudge({
    name: "brief",
    scope: "step",
    judge: (_, { step }) => (step === undefined ? 0 : 1),
  });
  const { result, events } = await judged([judgeOf(server, { scope: "both" }), steps], {
    agent: modelAgent(simulatedModel()),
    executionMode: "stepwise",
  });
  expect(
    of(events, "JudgementMade").map(({ judge, scope, step_id, score }) => [judge, scope, step_id, score]),
  ).toEqual(
    expect.arrayContaining([
      ["process", "session", null, 0.9],
      ["process", "step", 1, 0.1],
      ["process", "step", 2, 0.2],
      ["brief", "step", 1, 1],
      ["brief", "step", 2, 1],
    ]),
  );
  expect(result.reward?.score).toBe(0.9);
  const material = server.asked().map((asked) => JSON.parse(asked.material) as { other_steps?: unknown[] });
  expect(material.filter(({ other_steps }) => other_steps?.length === 1)).toHaveLength(2);
  expect(new Set(of(events, "JudgementMade").map(({ prompt_version }) => prompt_version))).toEqual(
    new Set(["process-judge.v1", "process-step-judge.v1", null]),
  );
});

test("functions score beside models, by their weights; what is no score is a failure", async () => {
  const server = await startJudge(() => reply({ score: 0.5 }));
  const bad = {
    throws: () => {
      throw new Error("no tests found");
    },
    nan: () => Number.NaN,
    high: () => 1.01,
    text: () => "good" as unknown as number,
    late: () => new Promise<number>(() => undefined),
    nothing: () => undefined as unknown as number,
  };
  const own = defineJudge({
    name: "tests",
    judge(trace) {
      const { final_answer } = trace;
      trace.final_answer = "changed";
      trace.steps.splice(0);
      return { score: final_answer === "forty-two" ? 1 : 0, rationale: "all passed" };
    },
  });
  const judges = [
    ...Object.entries(bad).map(([name, judge]) => defineJudge({ name, judge, timeoutMs: 200 })),
    own,
    judgeOf(server),
  ];
  const panel = panelOf(judges, { ...rubric, weights: { tests: 3 } });
  const { result, events } = await run({ agent, teacher, judge: panel });
  expect(result.reward?.score).toBe(0.875);
  expect(
    of(events, "JudgementFailed")
      .map(({ judge, stage }) => [judge, stage])
      .sort(),
  ).toEqual(
    Object.keys(bad)
      .sort()
      .map((name) => [name, "function"]),
  );
  expect(of(events, "SessionJudged")[0]?.missing).toEqual(Object.keys(bad));
  expect(JSON.parse(server.asked()[0]!.material)).toMatchObject({ final_answer: "forty-two", steps: [{}] });
});

test("however much happened, a judge is shown a bounded part of it, and told so", async () => {
  const server = await startJudge(() => reply({ score: 0.5 }));
  const busy = functionAgent(
    async (_task, _input, ctx) => {
      for (let n = 0; n < 200; n += 1)
        await ctx.tool("read", { n }, async () => `start-${n} ${'"\n'.repeat(50_000)} end-${n}`);
      return "x".repeat(3_000_000);
    },
    { name: "busy" },
  );
  await judged([judgeOf(server, { scope: "both" })], { agent: busy });
  const asked = server.asked();
  expect(asked).toHaveLength(2);
  for (const { material } of asked) {
    expect(material.length).toBeLessThanOrEqual(JUDGED_BUDGET);
    expect(material).toContain("tool_calls_left_out");
    expect(material).toContain("start-0 ");
  }
});

test("no more calls at a time than allowed, of all judges together", async () => {
  let now = 0;
  let most = 0;
  const server = await startJudge(async () => {
    now += 1;
    most = Math.max(most, now);
    // The third would come in meanwhile if it could.
    await eventually(() => expect(now === 2 || server.requests.length > 7).toBe(true), 10);
    now -= 1;
    return reply({ score: 0.5 });
  });
  const judges = ["process", "helpfulness", "efficiency"].map((name) =>
    judgeOf(server, { name, temperatures: [0, 0.5, 1] }),
  );
  await run({ agent, teacher, judge: panelOf(judges, rubric, 2) });
  expect(most).toBe(2);
  expect(server.requests).toHaveLength(9);
});
