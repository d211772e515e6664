import pg from "pg";
import { expect, test, vi } from "vitest";
import { eventually } from "../eventually.ts";
import { folderForTest, opened } from "./opened.ts";

test("a host with nothing to do asks its database less than once a second, for all of its consumers", async () => {
  const atlas = await opened(folderForTest());
  await atlas.settled();
  const { query } = pg.Client.prototype;
  let asked = 0;
  const counting = vi.spyOn(pg.Client.prototype, "query").mockImplementation(function (
    this: pg.Client,
    ...given: unknown[]
  ) {
    asked += 1;
    return Reflect.apply(query, this, given);
  });
  // Until it is told of what others append, it has to ask.
  let since = performance.now();
  await eventually(() => {
    const idleMs = performance.now() - since;
    if (asked > 1 + idleMs / 1000) [asked, since] = [0, performance.now()];
    expect(idleMs).toBeGreaterThan(6000);
  });
  counting.mockRestore();
  expect(asked).toBeLessThan(8);
});
