import { afterAll, beforeAll, beforeEach, describe } from "vitest";
import type { Database } from "../../database/database.ts";
import { DATABASES } from "./databases.ts";
import { readModelsInAnyOrder } from "./read-models-in-any-order.ts";
import { readModelsRows } from "./read-models-rows.ts";
import { emptyReadModels } from "./replayed.ts";

describe.each(DATABASES)("read models on $name", ({ skip, open }) => {
  describe.skipIf(skip)("", () => {
    let db: Database;
    beforeAll(async () => {
      db = await open();
    });
    beforeEach(() => emptyReadModels(db));
    afterAll(() => db?.close());

    readModelsInAnyOrder(() => db);
    readModelsRows(() => db);
  });
});
