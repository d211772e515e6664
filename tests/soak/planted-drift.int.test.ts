import { describe, expect, test } from "vitest";
import { kafka, missing, postgres } from "../services/services.ts";
import { type KillOptions, killRounds, problemsIn } from "./kill-rounds.ts";
import type { Role } from "./orders.ts";
import { embeddedPlace, kafkaPlace } from "./places.ts";
import { writePlanted } from "./planted.ts";

const database = async (): Promise<string> => (await postgres()).url;
const workers = (count: number): Role[] => [...Array<Role>(count).fill("worker"), "importer"];

/** Rewards, assessments, statuses and their causes are those of the undisturbed run: their ids name what caused them. */
async function expectAsUndisturbed(options: Pick<KillOptions, "kills" | "casts" | "makePlace">) {
  const report = await killRounds({ ...options, seed: 77, writeRuns: writePlanted });
  expect(problemsIn(report)).toEqual([]);
  expect(report.kills).toBe(options.kills);
  const sessions = report.expected.tables["sessions"]!;
  for (const status of ["approved", "quarantined"])
    expect(sessions.some((row) => row.includes(`"review_status": "${status}"`))).toBe(true);
}

test("planted drift is found alike on an embedded log whose processes are killed", () =>
  expectAsUndisturbed({ kills: 3, casts: [["both"]], makePlace: embeddedPlace }));

describe.skipIf(await missing("kafka", "postgres"))("planted drift on Kafka", () => {
  test("is found alike by one worker and by four that are killed", async () => {
    const makePlace = kafkaPlace(await kafka(), database);
    const casts = [workers(1)];
    await expectAsUndisturbed({ kills: 2, casts, makePlace });
    await expectAsUndisturbed({ kills: 3, casts: [workers(4)], makePlace });
  });
});
