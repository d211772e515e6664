import { expect, test } from "vitest";
import { z } from "zod";
import { readReply } from "../../models/read-reply.ts";

const Reply = z.object({ valid: z.boolean() });

test.each([
  '{"valid": true}',
  ' \n{"valid": true, "more": 1}\n',
  '```json\n{"valid": true}\n```',
  'Here it is:\n```\n{"valid": true}\n```\nAnything else?',
  'I think {"valid": true} says it.',
])("an object is found in %j", (text) => {
  expect(readReply(Reply, text)).toEqual({ value: { valid: true } });
});

test.each([
  ["", "it was empty"],
  ["valid: true", "it was not JSON"],
  ['{"valid": tru', "it was not JSON"],
])("%j is refused in words", (text, problem) => {
  expect(readReply(Reply, text)).toEqual({ problem });
});

test("a wrong type is refused with the field's name, and a text is no truth value", () => {
  expect(readReply(Reply, '{"valid": "false"}').problem).toBe('"valid": is a text, not true or false');
  expect(readReply(Reply, "[true]").problem).toBe("it is a list, not an object");
  expect(readReply(Reply, "null").problem).toBe("it is null, not an object");
});

test.each<[z.ZodType, unknown, string]>([
  [z.string(), undefined, '"a": is missing'],
  [z.string(), 7, '"a": is a number, not a text'],
  [z.array(z.string()), [1], '"a.0": is a number, not a text'],
  [z.enum(["auto", "coach"]), "x", '"a": is not one of auto, coach'],
  [z.array(z.string()).max(1), ["b", "c"], '"a": is longer than 1'],
  [z.number().min(2), 1, '"a": is below 2'],
  [z.union([z.string(), z.number()]), [], '"a": is a list of another form than is wanted'],
  [z.strictObject({}), { b: 1 }, '"a": has the unknown key "b"'],
  [z.string().regex(/x/), "y", '"a": is a text of another form than is wanted'],
  [z.string().min(1, "must not be empty"), "", '"a": must not be empty'],
])("what is wrong is said in our words (%#)", (schema, value, problem) => {
  expect(readReply(z.object({ a: schema }), JSON.stringify({ a: value })).problem).toBe(problem);
});
