import { expect, test } from "vitest";
import { filtersOf } from "../../cli/dataset-flags.ts";
import { checkedExport, type ExportFlags } from "../../cli/export-flags.ts";
import { nothingMatches } from "../../cli/nothing-found.ts";
import { reviewStatusesNamed, sessionStatusesOf } from "../../cli/statuses.ts";
import { conditionOf } from "../../projections/session-filters.ts";

const SESSION = /succeeded, failed, cancelled, running, abandoned/;
const REVIEW = /pending, approved, quarantined/;

test("statuses are understood in any case", () => {
  expect(sessionStatusesOf(["Failed", "RUNNING"], "--status")).toEqual(["failed", "running"]);
  expect(reviewStatusesNamed([" Pending "], "--include-status")).toEqual(["pending"]);
  expect(filtersOf(["status=Failed", "review=pending"])).toEqual({
    statusFilters: ["failed"],
    reviewStatusFilters: ["pending"],
  });
});

test.each([
  ["--status", () => sessionStatusesOf(["foo"], "--status"), SESSION],
  ["--status", () => checkedExport({ offset: "0", status: ["foo"] } as unknown as ExportFlags), SESSION],
  ["--where status", () => filtersOf(["status=foo"]), SESSION],
  ["--where review", () => filtersOf(["review=foo"]), REVIEW],
  ["--include-status", () => reviewStatusesNamed(["foo"], "--include-status"), REVIEW],
] as const)("a status that there is not is refused at %s with those that there are", (where, given, hint) => {
  expect(given).toThrow(
    expect.objectContaining({ code: "ATLAS_USAGE", where, hint: expect.stringMatching(hint) }),
  );
});

test.each([
  [{ statusFilters: ["done"] }, "statusFilters", SESSION],
  [{ reviewStatusFilters: ["succeeded"] }, "reviewStatusFilters", REVIEW],
] as const)("queries refuse %j", (filters, where, message) => {
  expect(() => conditionOf(filters)).toThrow(
    expect.objectContaining({ code: "ATLAS_FILTER_INVALID", where, message: expect.stringMatching(message) }),
  );
  expect(() => conditionOf({ statusFilters: ["Failed"], reviewStatusFilters: "all" })).not.toThrow();
});

test.each([
  [{ "--status": ["failed"] }, 12, "No session matches --status failed; without it there are 12."],
  [{ "--status": ["failed"] }, 1, "No session matches --status failed; without it there is 1."],
  [
    { "--status": ["failed", "running"], "--learning-key": "x" },
    3,
    "No session matches --status failed running --learning-key x; without them there are 3.",
  ],
  [{ "--status": undefined }, 3, undefined],
  [{ "--status": ["failed"] }, 0, undefined],
])("with %j of %i, a listing says what keeps it empty", (flags, without, words) => {
  expect(nothingMatches("session", flags, without)).toBe(words);
});
