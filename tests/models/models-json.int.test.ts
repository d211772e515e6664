import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { z } from "zod";
import { anthropicModel } from "../../models/anthropic.ts";
import { openaiModel } from "../../models/openai.ts";
import { isStrict, jsonSchemaOf } from "../../models/reply-schema.ts";
import { PlanReply } from "../../producers/lanes/plan.ts";
import { planningStudent, reviewingTeacher } from "../producers/lanes.ts";
import { INVALID, run, SCORE, startRoles, VALID } from "../producers/sessions.ts";
import { only } from "../recording/memory-log.ts";
import { type Answer, completion, json, type SeenRequest, startModelServer } from "./model-server.ts";

const ASK = { messages: [{ role: "user" as const, content: "hello" }] };
const Reply = z.object({ score: z.number().min(0).max(1), why: z.string().nullish() });

beforeEach(() => {
  vi.stubEnv("OPENAI_API_KEY", "key-0123456789");
  vi.stubEnv("ANTHROPIC_API_KEY", "key-0123456789");
});
afterEach(() => vi.unstubAllEnvs());

interface Format {
  type: string;
  json_schema?: { strict?: boolean; schema: { properties: object } };
}
const formatOf = ({ body }: Pick<SeenRequest, "body">) => body["response_format"] as Format | undefined;

test("a reply's schema is what every provider can promise", () => {
  expect(jsonSchemaOf(Reply)).toEqual({
    type: "object",
    properties: {
      score: { type: "number" },
      why: { type: ["string", "null"] },
    },
    required: ["score", "why"],
    additionalProperties: false,
  });
  expect(jsonSchemaOf(Reply)).toBe(jsonSchemaOf(Reply));
  expect(isStrict(jsonSchemaOf(Reply))).toBe(true);
  expect(isStrict(jsonSchemaOf(PlanReply))).toBe(true);
  expect(isStrict({ type: "object", properties: { a: { type: "string" } } })).toBe(false);
});

test("every call that wants JSON gives its schema, and names its prompts, in all roles", async () => {
  const seen: SeenRequest[] = [];
  const hearing =
    (answer: Answer): Answer =>
    (request, response) => {
      seen.push(request);
      return answer(request, response);
    };
  const steps = [
    { id: 1, description: "one" },
    { id: 2, description: "two" },
  ];
  const roles = await startRoles({
    student: hearing(planningStudent(steps)),
    teacher: hearing(reviewingTeacher({ accepts: (_, attempt) => attempt > 1 })),
    judge: hearing((_, response) => json(response, completion(SCORE))),
  });
  const lane = { forced: "coach" as const };
  const { events } = await run({ ...roles, lane, concurrency: 1 });
  const asked = only(events, "ModelCallStarted").map(({ role, prompt_version }, at) => [
    role,
    prompt_version,
    Object.keys(formatOf(seen[at]!)?.json_schema?.schema.properties ?? {}).join(" "),
    formatOf(seen[at]!)?.json_schema?.strict,
  ]);
  const step = [
    ["student", "step.v2", "", undefined],
    ["teacher", "step-validation.v1", "valid guidance reason", true],
    ["student", "step.v2+retry.v2", "", undefined],
    ["teacher", "step-validation.v1", "valid guidance reason", true],
  ];
  expect(asked).toEqual([
    ["student", "plan.v2", "steps", true],
    ["teacher", "plan-review.v2", "steps concerns", true],
    ...step,
    ...step,
    ["student", "synthesis.v1", "", undefined],
    ["judge", "session-judge.v1", "score uncertainty rationale principles", true],
  ]);
});

test("the probe gives its schema", async () => {
  await using server = await startModelServer((_, response) =>
    json(response, completion('{"mode": "auto", "confidence": 0.9}')),
  );
  const probe = openaiModel({ model: "probe", baseUrl: server.url });
  const history = async () => [{ score: 0.9 }] as never;
  const { events } = await run({ ...(await startRoles()), lane: { probe }, history });
  expect(only(events, "LaneSelected")[0]).toMatchObject({ lane: "auto", reason: "capability_probe" });
  expect(formatOf(server.requests[0]!)?.json_schema?.schema.properties).toHaveProperty("confidence");
});

test("a repair names both prompts, and the user's own words name none", async () => {
  const roles = await startRoles({ teacher: ["nonsense", INVALID, VALID] });
  const { events } = await run(roles);
  expect(only(events, "ModelCallStarted").map(({ prompt_version }) => prompt_version)).toEqual([
    null,
    "validation.v1",
    "validation.v1+repair.v1",
    "retry.v2",
    "validation.v1",
    "session-judge.v1",
  ]);
});

test("a server that refuses schemas is asked for JSON mode once, and from then on", async () => {
  await using server = await startModelServer((request, response) =>
    formatOf(request)?.type === "json_schema"
      ? json(response, { detail: "json_schema is not supported by this model" }, 422)
      : json(response, completion("{}")),
  );
  const client = openaiModel({ model: "m", baseUrl: server.url });
  const jsonSchema = jsonSchemaOf(Reply);
  let tries = 0;
  await client.complete({ ...ASK, json: true, jsonSchema }, { onTry: () => void tries++ });
  await Promise.all([1, 2].map(() => client.complete({ ...ASK, json: true, jsonSchema })));
  expect(tries).toBe(2);
  expect(server.requests.map((request) => formatOf(request)?.type)).toEqual([
    "json_schema",
    "json_object",
    "json_object",
    "json_object",
  ]);
});

test("a refusal of something else is no refusal of JSON", async () => {
  await using server = await startModelServer((_, response) =>
    json(response, { error: { message: "the messages are too long" } }, 400),
  );
  const client = openaiModel({ model: "m", baseUrl: server.url });
  for (const _ of [1, 2])
    await expect(client.complete({ ...ASK, jsonSchema: jsonSchemaOf(Reply) })).rejects.toThrow(/too long/);
  expect(server.requests.map((request) => formatOf(request)?.type)).toEqual(["json_schema", "json_schema"]);
});

test("Anthropic gets the schema as its output format, and goes without where its model knows none", async () => {
  const message = {
    id: "msg",
    type: "message",
    role: "assistant",
    model: "claude-y",
    content: [{ type: "text", text: "{}" }],
    stop_reason: "end_turn",
    usage: { input_tokens: 1, output_tokens: 1 },
  };
  await using server = await startModelServer(({ body }, response) =>
    body["model"] === "old" && "output_config" in body
      ? json(response, { error: { message: "output_config.format: structured outputs are unknown" } }, 400)
      : json(response, message),
  );
  const jsonSchema = jsonSchemaOf(Reply);
  const extra = { output_config: { effort: "low" } };
  await anthropicModel({ model: "new", baseUrl: server.url }).complete({ ...ASK, jsonSchema, extra });
  expect(server.requests[0]?.body["output_config"]).toEqual({
    effort: "low",
    format: { type: "json_schema", schema: jsonSchema },
  });
  const old = anthropicModel({ model: "old", baseUrl: server.url });
  await old.complete({ ...ASK, jsonSchema });
  await old.complete({ ...ASK, jsonSchema });
  expect(server.requests.slice(1).map(({ body }) => "output_config" in body)).toEqual([true, false, false]);
});
