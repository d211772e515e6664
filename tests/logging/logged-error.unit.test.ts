import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { AtlasError } from "../../errors/atlas-error.ts";
import { errorWords, loggedError } from "../../logging/logged-error.ts";
import { encodeEvent } from "../../schemas/codec.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";

const CANARY = "buy milk for 4 p.m.";

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

/** An error as the Postgres client makes one. */
const postgresError = (code: string, message: string): Error =>
  Object.assign(new Error(message), { code, severity: "ERROR", detail: `Failing row contains (${CANARY})` });

test.each([
  ["a processor's error", new TypeError(`cannot read ${CANARY}`)],
  ["an error whose cause quotes", new Error("outer", { cause: new Error(CANARY) })],
  ["a thrown string", CANARY],
  [
    "an event that does not fit",
    thrownBy(() => encodeEvent({ type: "StepSkipped", meta: {}, step_id: CANARY } as unknown as AtlasEvent)),
  ],
  ["a storm of poison records", new AtlasError("ATLAS_CONSUMER_UNHEALTHY", `10 failed: ${CANARY}`)],
  ["a model's words", new AtlasError("ATLAS_MODEL_FAILED", CANARY)],
  ["an ambiguous session", new AtlasError("ATLAS_SESSION_AMBIGUOUS", `"01" could be ${CANARY}`)],
  [
    "a value that Postgres refused",
    postgresError("22P02", `invalid input syntax for type uuid: "${CANARY}"`),
  ],
  ["a constraint", postgresError("23514", `violates check: ${CANARY}`)],
  ["a trigger's exception", postgresError("P0001", CANARY)],
  ["several errors", new AggregateError([new Error(CANARY)], CANARY)],
])("%s is logged without what it quotes", (_, error) => {
  const logged = loggedError(error);
  expect(JSON.stringify(logged)).not.toContain("milk");
  expect(errorWords(logged)).not.toContain("milk");
  expect(logged.type).not.toBe("");
});

test("an error of ours keeps its words and place", () => {
  const error = new AtlasError("ATLAS_LOG_REPLACED", "the log is not the one that drift read before", {
    where: "atlas.rewards[3]",
    hint: "Restore the log.",
  });
  expect(loggedError(error)).toEqual({
    type: "AtlasError",
    code: "ATLAS_LOG_REPLACED",
    reason: "the log is not the one that drift read before",
    where: "atlas.rewards[3]",
    hint: "Restore the log.",
  });
});

test("errors of the system and of Postgres name their places, others where they come from", () => {
  expect(loggedError(thrownBy(() => readFileSync("/nowhere/at/all")))).toMatchObject({
    code: "ENOENT",
    reason: expect.stringContaining("/nowhere/at/all"),
  });
  expect(loggedError(postgresError("42P01", 'relation "sessions" does not exist'))).toEqual({
    type: "Error",
    code: "42P01",
    reason: 'relation "sessions" does not exist',
  });
  expect(loggedError(new RangeError(CANARY))).toEqual({
    type: "RangeError",
    at: expect.stringContaining("logged-error.unit.test.ts"),
  });
});
