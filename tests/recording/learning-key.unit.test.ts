import { expect, test } from "vitest";
import { learningKeyOf } from "../../recording/learning-key.ts";

// The expected keys were computed with Python's json, hashlib, str.strip and sorted.
test("the key of a plain task is the one that Python computes", () => {
  expect(learningKeyOf({ agent: "mine", task: "Find the bug" })).toBe(
    "9e293c034d0a85853efb3c0c13f7aa10104a03ffc7b15870c4d6344f0fc92f28",
  );
});

test("white space, non-ASCII text, blank tags and their order are handled as Python does", () => {
  const key = learningKeyOf({
    agent: 'é\u2028"x\\',
    task: `\x1c  Grüße 😀 ${"😀a".repeat(60)}\n`,
    tags: ["b", " a ", "", " ", "😀", "\ufffd"],
    tenant: "acme",
  });
  expect(key).toBe("799156824e245ebd58126d1efc76c7e3eade8dcd226f6659bd40644afe100c8a");
});

test("control characters are handled as Python does", () => {
  const key = learningKeyOf({
    agent: "a\x7f\x01\b\f",
    task: "\ufefftask\x85",
    tags: ["Z", "a"],
    tenant: "t",
  });
  expect(key).toBe("4d7e37434a086c6014908aac7b06282cd2f6772203075b643f65a2dfeabdcf98");
});

test("the same parts in another order give the same key, other parts another", () => {
  const parts = { agent: "mine", task: "Find the bug", tags: ["a", "b"] };
  expect(learningKeyOf({ ...parts, tags: ["b", "a"] })).toBe(learningKeyOf(parts));
  expect(learningKeyOf({ ...parts, tenant: "acme" })).not.toBe(learningKeyOf(parts));
});
