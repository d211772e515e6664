import { describe, expect, test } from "vitest";
import { atlasView } from "../../../sinks/quality/atlas-view.ts";
import { balance } from "../../../sinks/quality/balance.ts";
import { chatView } from "../../../sinks/quality/chat-view.ts";
import type { Check, Fault, Measure } from "../../../sinks/quality/check.ts";
import { controlTokens } from "../../../sinks/quality/control-tokens.ts";
import { empty } from "../../../sinks/quality/empty.ts";
import { schemaFault } from "../../../sinks/quality/json-schema.ts";
import { leakage } from "../../../sinks/quality/leakage.ts";
import { bandsOf, jaccard, shinglesOf } from "../../../sinks/quality/min-hash.ts";
import { nearDuplicates } from "../../../sinks/quality/near-duplicates.ts";
import { quantilesOf } from "../../../sinks/quality/quantiles.ts";
import type { QualityRecord } from "../../../sinks/quality/record.ts";
import { toolSchemas } from "../../../sinks/quality/tool-schemas.ts";
import { encodeTrainingLine } from "../../../traces/training-line.ts";
import { call, recordedTrace, result, said, user } from "../formats/format-sessions.ts";
import { numbers, Planter } from "./planted.ts";

interface Given {
  part?: string;
  session?: string;
  raw: Record<string, unknown>;
}

const recordsOf = (given: readonly Given[]): QualityRecord[] =>
  given.map(({ part = "train", session = null, raw }, index) => ({
    ...(atlasView(raw) ?? chatView(raw))!,
    place: { file: `${part}.jsonl`, line: index + 1, session },
    part,
    raw,
    bytes: { offset: index, length: 1 },
  }));

/** What a check says of records, and the lines of those with a fault. */
async function checked(
  check: Check,
  records: readonly QualityRecord[],
): Promise<Measure & { lines: number[]; faults: Fault[] }> {
  const faults: Fault[] = [];
  const report = (place: Omit<Fault, "why">, why: string): unknown => faults.push({ ...place, why });
  for (const record of records) check.read(record, report);
  const measure = await check.end(report);
  return { ...measure, lines: faults.map(({ line }) => line), faults };
}

const asks = (content: string, more: object = {}) => ({
  messages: [user(content), { role: "assistant", content: `About ${content}` }],
  ...more,
});

test("a task or a group in two parts leaks, however it is written", async () => {
  const found = await checked(
    leakage(),
    recordsOf([
      { raw: asks("Where is ÅSA's order?", { group_id: "g" }) },
      { raw: asks("Where is ÅSA's order?") },
      { part: "eval", raw: asks("  where is åsa's\n order ") },
      { part: "eval", raw: asks("Where is Bo's order?") },
      { part: "eval", raw: asks("Something else", { group_id: "g" }) },
      { part: "eval", raw: asks("1 + 2?") },
      { raw: asks("1 - 2?") },
    ]),
  );
  expect(found).toMatchObject({ value: 2, lines: [3, 5] });
  expect(found.faults[0]!.why).toBe("its task is in another part too, at train.jsonl:1");
  expect(await checked(leakage(), recordsOf([{ raw: asks("a") }, { raw: asks("a") }]))).toMatchObject({
    value: null,
  });
});

describe("near-duplicates", () => {
  const planter = new Planter(5);
  const text = planter.words(80);
  const nearly = `${text.slice(0, text.lastIndexOf(" "))} otherwise`;
  const raw = (content: string, more: object = {}) => ({
    messages: [user("Tell me"), { role: "assistant", content }],
    ...more,
  });
  const found = (given: readonly Given[]) => {
    const records = recordsOf(given);
    const again = ({ bytes }: Pick<QualityRecord, "bytes">) => Promise.resolve(records[bytes.offset]!);
    return checked(nearDuplicates(again), records);
  };

  test("are told within a part and across, of both that share something across", async () => {
    const given = [
      { raw: raw(text) },
      ...Array.from({ length: 8 }, () => ({ raw: raw(planter.words(80)) })),
      { raw: raw(nearly) },
    ];
    expect(await found(given)).toMatchObject({ value: 0.1, lines: [10] });
    const across = [...given.slice(0, -1), { part: "eval", raw: raw(nearly) }];
    expect(await found(across)).toMatchObject({
      ...{ value: 1, lines: [1, 10] },
      note: "1 repeat records of another part",
    });
  });

  test("are no turns of a session and no rollouts of a group, but in two parts they are", async () => {
    const turns = [text, nearly].map((each) => ({ session: "s", raw: raw(each) }));
    const rollouts = [text, nearly].map((each) => ({ raw: raw(each, { group_id: "g" }) }));
    expect(await found(turns)).toMatchObject({ value: 0 });
    expect(await found(rollouts)).toMatchObject({ value: 0 });
    expect(await found([turns[0]!, { ...turns[1]!, part: "eval" }])).toMatchObject({ value: 1 });
  });

  test("share a band, which texts that have little in common hardly do", () => {
    const next = numbers(9);
    let [met, strangers] = [0, 0];
    for (let round = 0; round < 200; round += 1) {
      const words = planter.words(100).split(" ");
      const close = words.with(Math.floor(next() * 100), "x").with(Math.floor(next() * 100), "y");
      const far = words.map((word) => (next() < 0.3 ? `${word}x` : word));
      const [a, b, c] = [words, close, far].map((each) => shinglesOf(each.join(" "))) as [
        Uint32Array,
        Uint32Array,
        Uint32Array,
      ];
      const shareBand = (other: Uint32Array): boolean =>
        bandsOf(a).some((band, index) => band === bandsOf(other)[index]);
      if (shareBand(b)) met += 1;
      if (shareBand(c)) strangers += 1;
    }
    expect(met).toBeGreaterThanOrEqual(196);
    expect(strangers).toBeLessThan(20);
  });

  test("are measured exactly, also of texts without spaces", () => {
    expect(jaccard(shinglesOf("a b c d e f"), shinglesOf("A b, c d e g!"))).toBeCloseTo(1 / 3);
    expect(jaccard(shinglesOf("one two"), shinglesOf("One two."))).toBe(1);
    expect(shinglesOf("注文はどこですか今日中に届きますか").length).toBeGreaterThan(10);
    expect(shinglesOf(" … ")).toHaveLength(0);
    expect(jaccard(shinglesOf(""), shinglesOf(""))).toBe(0);
  });
});

test.each([
  ["<|im_start|>", true],
  ["a</s>b", true],
  ["[/INST]", true],
  ["<<SYS>>", true],
  ["<｜tool▁calls▁begin｜>", true],
  ["<end_of_turn>", true],
  ["x <| y |> z", false],
  ["<sup>2</sup> <span>", false],
  ["[INSTALL]", false],
])("a text with %s has a control token: %s", async (text, is) => {
  const found = await checked(controlTokens(), recordsOf([{ raw: asks(`so ${text} it is`) }]));
  expect(found.lines).toEqual(is ? [1] : []);
});

const SCHEMA = {
  type: "object",
  properties: {
    city: { $ref: "#/$defs/city" },
    days: { type: ["integer", "null"] },
    unit: { enum: ["c", "f"] },
    tags: { type: "array", items: { type: "string" } },
    at: { anyOf: [{ type: "string" }, { type: "object", required: ["lat"] }] },
  },
  required: ["city"],
  additionalProperties: false,
  $defs: { city: { type: "string" } },
};

test.each<[value: unknown, fault: RegExp | undefined]>([
  [{ city: "Rome" }, undefined],
  [{ city: "Rome", days: null, unit: "c", tags: ["a"], at: { lat: 1 } }, undefined],
  [{}, /required/],
  [{ city: 7 }, /type/],
  [{ city: "Rome", days: 1.5 }, /type/],
  [{ city: "Rome", unit: "k" }, /listed/],
  [{ city: "Rome", tags: ["a", 1] }, /type/],
  [{ city: "Rome", at: {} }, /alternatives/],
  [{ city: "Rome", toString: 1 }, /not declared/],
  [[], /type/],
])("a schema says of %j: %s", (value, fault) => {
  const found = schemaFault(SCHEMA, value);
  if (fault === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(fault);
});

test("a schema that refers to itself without end, or is none, allows what it does not forbid", () => {
  expect(schemaFault({ $ref: "#" }, {})).toBeUndefined();
  expect(schemaFault({ allOf: [{ $ref: "#" }, { $ref: "#" }, { $ref: "#" }] }, {})).toBeUndefined();
  for (const schema of [
    undefined,
    true,
    "object",
    { type: "nonsense" },
    { $ref: "#/%zz" },
    { $ref: "http://x" },
  ])
    expect(schemaFault(schema, { a: 1 })).toBeUndefined();
});

test("calls of recorded conversations are held against the tools that were declared", async () => {
  const tools = [{ type: "function", function: { name: "look", parameters: SCHEMA } }];
  const raw = (calls: object, offered: object[] | undefined = tools) =>
    JSON.parse(
      encodeTrainingLine(
        recordedTrace([user("Weather?"), said("", calls), result("a", "warm"), said("Warm.")], {
          tools: offered,
        }),
      ),
    ) as Record<string, unknown>;
  const found = await checked(
    toolSchemas(),
    recordsOf([
      { raw: raw(call("a", "look", { city: "Rome" })) },
      { raw: raw(call("a", "look", { city: 7 })) },
      { raw: raw(call("a", "glance", {})) },
      { raw: { messages: [user("?"), said("", call("a", "look", "[1]"))], tools } },
      { raw: { messages: [user("?"), said("", call("a", "look", "{city"))], tools: JSON.stringify(tools) } },
      { raw: { messages: [user("?"), said("", call("a", "look", '{"city":"x"}'))], tools: null } },
    ]),
  );
  expect(found.faults.map(({ line, why }) => `${line}: ${why}`)).toEqual([
    "2: message 2 has a value of another type in the arguments of a call",
    "3: message 2 calls a tool that is not declared",
    "4: message 2 has arguments that are no JSON object",
    "5: message 2 has arguments that are no JSON object",
    "6: message 2 calls a tool where none is declared",
  ]);
});

test("labels are weighed where there are some, else rewards", async () => {
  const labels = [true, true, true, false].map((label) => ({ raw: asks("x", { label, reward: 0 }) }));
  expect(await checked(balance(), recordsOf(labels))).toMatchObject({ value: 0.75 });
  const rewards = [0, null, 0.5, 1].map((reward) => ({ raw: asks("x", { reward }) }));
  expect(await checked(balance(), recordsOf(rewards))).toMatchObject({
    value: 0.5,
    note: "1 without a reward, 1 with a reward of 0",
  });
});

test("rewards that are not known are not taken for absent ones", async () => {
  const records = recordsOf([{ raw: asks("x") }, { raw: asks("y") }]);
  expect(await checked(balance(), records)).toMatchObject({ value: null });
});

test("a conversation may begin with a greeting: its task is what the user says then", async () => {
  const greeted = (part: string): Given => ({
    part,
    raw: { messages: [said("Hello!"), user("Where is my order?"), said("On its way.")] },
  });
  expect(await checked(empty(), recordsOf([greeted("train")]))).toMatchObject({ value: 0 });
  expect(await checked(leakage(), recordsOf([greeted("train"), greeted("eval")]))).toMatchObject({
    value: 1,
  });
  const alone = { raw: { prompt: [], completion: [said("Hello!")] } };
  expect(await checked(empty(), recordsOf([alone]))).toMatchObject({ value: 1 });
});

test("quantiles are numbers that were there", () => {
  expect(quantilesOf([])).toBeNull();
  expect(quantilesOf([4, 1, 3, 2])).toMatchObject({
    least: 1,
    p25: 1,
    median: 2,
    p75: 3,
    p95: 4,
    most: 4,
    mean: 2.5,
  });
});
