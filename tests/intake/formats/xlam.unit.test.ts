import { expect, test } from "vitest";
import { expectAccountedFor, readValues } from "./accounts-for.ts";
import { callsOf, conversationsOf } from "./conversations.ts";

const TOOLS = [
  {
    name: "weather",
    description: "Weather of a city",
    parameters: {
      city: { description: "Which", type: "str" },
      days: { description: "How many", type: "int, optional", default: 1 },
      units: { description: "In what", type: "List[str]" },
    },
  },
];
const row = {
  id: 4,
  query: "Weather in Oslo and Rome?",
  answers: JSON.stringify([
    { name: "weather", arguments: { city: "Oslo" } },
    { name: "weather", arguments: { city: "Rome" } },
  ]),
  tools: JSON.stringify(TOOLS),
};

test("a question and the calls that answer it, with parameters as a schema", () => {
  const { formats } = expectAccountedFor([row], { type: "named as JSON Schema does", id: "its text" });
  expect(formats).toEqual(["xlam"]);
  const [conversation] = conversationsOf(row);
  expect(callsOf(conversation!)).toEqual([
    'weather({"city":"Oslo"}) → nothing',
    'weather({"city":"Rome"}) → nothing',
  ]);
  expect(conversation).toMatchObject({ id: "4" });
  expect(conversation!.tools![0]!.function!.parameters).toEqual({
    type: "object",
    properties: {
      city: { description: "Which", type: "string" },
      days: { description: "How many", type: "integer", default: 1 },
      units: { description: "In what", type: "List[str]" },
    },
    required: ["city", "units"],
  });
});

test("parameters that are a schema already stay, and structures need be no text", () => {
  const parameters = { type: "object", properties: { city: { type: "string" } } };
  const tools = [{ ...TOOLS[0], parameters }];
  const whole = { ...row, answers: JSON.parse(row.answers), tools };
  expectAccountedFor([whole], { id: "its text" });
  expect(conversationsOf(whole)[0]!.tools![0]!.function!.parameters).toEqual(parameters);
});

test("an answer that is no call is named", () => {
  expect(readValues([{ ...row, answers: [{ arguments: {} }] }]).problems).toEqual([
    "answers[0].function is not an object",
  ]);
});
