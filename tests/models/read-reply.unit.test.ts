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
  expect(readReply(Reply, '{"valid": "false"}').problem).toMatch(/^"valid": .*boolean/);
  expect(readReply(Reply, "[true]").problem).toMatch(/object/);
  expect(readReply(Reply, "null").problem).toMatch(/object/);
});
