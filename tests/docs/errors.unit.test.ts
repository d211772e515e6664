import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { errorDocs } from "../../scripts/generate-error-docs.ts";

test("docs/errors.md lists every error code", () => {
  expect(readFileSync(join(import.meta.dirname, "../../docs/errors.md"), "utf8")).toBe(errorDocs());
});
