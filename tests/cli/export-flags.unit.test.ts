import { expect, test } from "vitest";
import { reviewStatusesOf } from "../../cli/export-flags.ts";

const LISTED = "ATLAS_REVIEW_DEFAULT_EXPORT_STATUSES";
const REQUIRED = "ATLAS_REVIEW_REQUIRE_APPROVAL";

test.each([
  [{}, {}, ["approved"]],
  [{ includeStatus: ["Pending"] }, {}, ["approved", "pending"]],
  [{ includeAllStatuses: true }, { [LISTED]: "approved" }, "all"],
  [{}, { [LISTED]: "pending, Quarantined" }, ["pending", "quarantined"]],
  [{ includeStatus: ["approved"] }, { [LISTED]: "pending" }, ["pending", "approved"]],
  [{}, { [LISTED]: "*" }, "all"],
  [{}, { [LISTED]: " , " }, ["approved"]],
  [{}, { [REQUIRED]: "off" }, ["approved", "pending"]],
  [{}, { [REQUIRED]: "true" }, ["approved"]],
  [{}, { [REQUIRED]: "0", [LISTED]: "approved" }, ["approved"]],
] as const)("%j with %j lets %j leave", (flags, env, statuses) => {
  expect(reviewStatusesOf(flags as Parameters<typeof reviewStatusesOf>[0], env)).toEqual(statuses);
});

test("a status that there is not is named with where it stands", () => {
  expect(() => reviewStatusesOf({ includeStatus: ["fine"] }, {})).toThrow(
    expect.objectContaining({ code: "ATLAS_USAGE", where: "--include-status" }),
  );
  expect(() => reviewStatusesOf({}, { [LISTED]: "fine" })).toThrow(
    expect.objectContaining({ code: "ATLAS_USAGE", where: LISTED }),
  );
});
