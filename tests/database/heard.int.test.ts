import { describe, expect, it } from "vitest";
import { DATABASES } from "../projections/databases.ts";

describe.each(DATABASES)("when $name has answered last", ({ skip, open }) => {
  it.skipIf(skip)("is known after a statement, a transaction, and a refusal", async () => {
    const db = await open();
    const answers = [
      () => db.query("select 1"),
      () => db.transaction((tx) => tx.query("select 1")),
      () => db.query("select nothing_of_the_kind").catch(() => undefined),
    ];
    for (const answer of answers) {
      const before = performance.now();
      await answer();
      expect(db.heardAt?.()).toBeGreaterThanOrEqual(before);
    }
    await db.close();
  });
});
