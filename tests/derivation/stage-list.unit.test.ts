import { expect, test } from "vitest";
import { READ_MODELS, STAGES } from "../../derivation/stage-list.ts";
import { PROCESSORS } from "../../derivation/stages.ts";
import { groupOfVersion } from "../../log/runner/versions.ts";

test("the stages are the processors with their inputs, and then the read models", () => {
  const processors = PROCESSORS.map((processor) => ({
    group: groupOfVersion(processor),
    topics: processor.inputs,
  }));
  expect(STAGES.slice(0, -1)).toEqual(processors);
  expect(STAGES.at(-1)?.group).toBe(READ_MODELS);
});
