import { expect, test } from "vitest";
import type { DecidedSession } from "../../app/api/reviews.ts";
import { sessionWriter } from "../traces/sessions.ts";
import { folderForTest, opened } from "./opened.ts";

test("a decision on all reaches every session that passes the filters, in parts, and no other", async () => {
  const atlas = await opened(folderForTest());
  const started = Array.from({ length: 503 }, (_, number) => {
    const { emit, events } = sessionWriter(`session ${number}`);
    emit("SessionStarted", { task: "t", learning_key: number < 2 ? "others" : "k", agent: "a" });
    return events;
  }).flat();
  await atlas.log.append(started.map(atlas.log.mask));
  await atlas.settled();

  const parts: (readonly DecidedSession[])[] = [];
  const pending = { reviewStatusFilters: ["pending"], learningKey: "k" };
  const onDecided = (part: readonly DecidedSession[]): void => void parts.push(part);
  expect(await atlas.reviews.approveAll(pending, { author: "ann", onDecided })).toBe(501);
  expect(parts.map(({ length }) => length)).toEqual([500, 1]);
  const decided = parts.flat();
  expect(new Set(decided.map(({ sessionId }) => sessionId)).size).toBe(501);
  expect(new Set(decided.map(({ reviewStatus }) => reviewStatus))).toEqual(new Set(["approved"]));
  expect(await atlas.sessions.count({ reviewStatusFilters: ["pending"] })).toBe(2);
  expect(await atlas.reviews.approveAll(pending)).toBe(0);

  const [changed] = await atlas.reviews.approve([decided[0]!.sessionId]);
  expect(changed).toMatchObject({ overrode: { author: "ann" } });
  expect(await atlas.reviews.quarantineAll({ learningKey: "others" }, { author: "bob" })).toBe(2);
  expect(await atlas.sessions.count({ reviewStatusFilters: ["quarantined"] })).toBe(2);
});
