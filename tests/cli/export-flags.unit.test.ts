import { expect, test } from "vitest";
import { checkedExport, type ExportFlags, reviewStatusesOf } from "../../cli/export-flags.ts";

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

test("the configuration says what leaves where the environment does not list it", () => {
  const configured = ["quarantined"] as const;
  expect(reviewStatusesOf({}, { [REQUIRED]: "off" }, [...configured])).toEqual(["quarantined"]);
  expect(reviewStatusesOf({}, { [LISTED]: "pending" }, [...configured])).toEqual(["pending"]);
  expect(reviewStatusesOf({ includeStatus: ["pending"] }, {}, [...configured])).toEqual([
    "quarantined",
    "pending",
  ]);
  expect(reviewStatusesOf({}, {}, "all")).toBe("all");
  expect(reviewStatusesOf({ includeAllStatuses: true }, {}, [...configured])).toBe("all");
});

test.each([
  [{ where: ["review=all"] }, "--where", /--include-status/],
  [{ where: ["session=1"] }, "--where", /--session-id/],
  [{ where: ["status=failed"] }, "--where", /--status/],
  [{ where: ["nothing"] }, "--where", /name=value/],
  [{ where: ["created_after=soon"] }, "--where created_after", /2026-01-31/],
  [{ limit: "0" }, "--limit", undefined],
  [{ limit: "some" }, "--limit", undefined],
  [{ offset: "-1" }, "--offset", undefined],
  [{ batchSize: "0" }, "--batch-size", undefined],
  [{ trajectoryEventLimit: "0" }, "--trajectory-event-limit", undefined],
  [{ minReward: "high" }, "--min-reward", undefined],
] as const)("%j is refused before anything is opened", (flags, where, hint) => {
  const given = { offset: "0", ...flags } as unknown as ExportFlags;
  expect(() => checkedExport(given)).toThrow(
    expect.objectContaining({
      code: "ATLAS_USAGE",
      where,
      ...(hint !== undefined && { hint: expect.stringMatching(hint) }),
    }),
  );
});
