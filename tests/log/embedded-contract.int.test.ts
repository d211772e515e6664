import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEmbedded } from "../../database/embedded/open-embedded.ts";
import { logContract } from "./contract.ts";
import { postgresUnderTest } from "./postgres-under-test.ts";

logContract("the embedded database", () => {
  const folder = mkdtempSync(join(tmpdir(), "atlas-contract-"));
  return postgresUnderTest(() => openEmbedded(folder), {
    embedded: true,
    close: async () => rmSync(folder, { recursive: true, force: true }),
  });
});
