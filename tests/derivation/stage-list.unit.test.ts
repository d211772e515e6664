import { expect, test } from "vitest";
import { READ_MODELS, STAGES } from "../../derivation/stage-list.ts";
import { PROCESSORS } from "../../derivation/stages.ts";

test("the stages are the processors with their inputs, and then the read models", () => {
  const processors = PROCESSORS.map(({ name, inputs }) => ({ group: name, topics: inputs }));
  expect(STAGES.slice(0, -1)).toEqual(processors);
  expect(STAGES.at(-1)?.group).toBe(READ_MODELS);
});
