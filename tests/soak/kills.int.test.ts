import { describe, expect, test } from "vitest";
import { kafka, missing, postgres } from "../services/services.ts";
import { type KillOptions, killRounds, problemsIn } from "./kill-rounds.ts";
import type { Outcome } from "./outcome.ts";
import { EMBEDDED_CASTS, embeddedPlace, kafkaPlace, postgresPlace, SERVER_CASTS } from "./places.ts";

const database = async (): Promise<string> => (await postgres()).url;

const SEED = 20;
/** The undisturbed run is the same for every log. */
let expected: Outcome | undefined;

async function expectNoAnomaly(options: Omit<KillOptions, "seed">): Promise<void> {
  const report = await killRounds({ ...options, seed: SEED, expected });
  expected = report.expected;
  expect(problemsIn(report)).toEqual([]);
  expect(report.kills).toBe(options.kills);
}

test("an embedded log is that of an undisturbed run after 8 kills", () =>
  expectNoAnomaly({ kills: 8, casts: EMBEDDED_CASTS, makePlace: embeddedPlace }));

describe.skipIf(await missing("postgres"))("with two workers on a Postgres server", () => {
  test("the log is that of an undisturbed run after 6 kills", () =>
    expectNoAnomaly({ kills: 6, casts: SERVER_CASTS, makePlace: postgresPlace(database) }));
});

describe.skipIf(await missing("kafka", "postgres"))("with two workers on Kafka", () => {
  test("the log is that of an undisturbed run after 4 kills", async () => {
    const makePlace = kafkaPlace(await kafka(), database);
    await expectNoAnomaly({ kills: 4, casts: SERVER_CASTS, makePlace });
  });
});
