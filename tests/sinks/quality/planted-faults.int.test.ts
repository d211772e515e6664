import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CHECK_NAMES, type CheckResult, testDataset } from "../../../app/datasets.ts";
import { folderForTest } from "../../app/opened.ts";
import { datasetOf } from "./dataset-of.ts";
import { type Planted, Planter } from "./planted.ts";

const PARTS = ["train", "eval"];

describe("of faults that were planted in a dataset", () => {
  const rows = new Planter(7).rows(2000, 8);
  const folder = mkdtempSync(join(tmpdir(), "atlas-planted-"));
  let checks: CheckResult[];

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  beforeAll(async () => {
    datasetOf(folder, "trl-messages", rows, PARTS);
    checks = (await testDataset(folder, { named: rows.length, maxLength: 2048, expect: { length: 0.01 } }))
      .checks;
  });

  const placeOf = (row: Planted): string => {
    const before = rows.filter(({ part }) => part === row.part);
    return `${row.part}.jsonl:${before.indexOf(row) + 1}`;
  };

  test.each(["leakage", "near-duplicates", "secrets", "control-tokens", "tool-schemas", "empty", "length"])(
    "%s finds nearly all, and hardly anything else",
    (name) => {
      const { faults, found, status } = checks.find((check) => check.name === name)!;
      const planted = new Set(rows.filter(({ fault }) => fault === name).map(placeOf));
      const named = faults.map(({ file, line }) => `${file}:${line}`);
      const right = named.filter((place) => planted.has(place));
      expect(planted.size).toBeGreaterThan(30);
      expect(status).toBe("fails");
      expect(found).toBe(named.length);
      expect(right.length / planted.size).toBeGreaterThanOrEqual(0.95);
      expect((named.length - right.length) / rows.length).toBeLessThanOrEqual(0.01);
    },
  );
});

test("a dataset without a fault passes every check", async () => {
  const planter = new Planter(11);
  const rows = Array.from({ length: 400 }, (_, index) => ({
    part: PARTS[index % 2]!,
    record: planter.clean(),
  }));
  const tested = await testDataset(datasetOf(join(folderForTest(), "data"), "trl-messages", rows, PARTS));
  expect(tested.passed).toBe(true);
  expect(tested.checks.map(({ name, status, found }) => [name, status, found])).toEqual(
    CHECK_NAMES.map((name) => [name, "holds", 0]),
  );
});
