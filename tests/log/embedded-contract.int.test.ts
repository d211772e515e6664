import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EMBEDDED_TABLES } from "../../app/open-store.ts";
import { openEmbedded } from "../../database/embedded/open-embedded.ts";
import { type LogUnderTest, logContract } from "./contract.ts";
import { troublesContract } from "./contract-troubles.ts";
import { postgresUnderTest } from "./postgres-under-test.ts";

const create = (): Promise<LogUnderTest> => {
  const folder = mkdtempSync(join(tmpdir(), "atlas-contract-"));
  return postgresUnderTest(() => openEmbedded(folder, { tables: EMBEDDED_TABLES }), {
    embedded: true,
    close: async () => rmSync(folder, { recursive: true, force: true }),
  });
};

logContract("the embedded database", create);
troublesContract("the embedded database", create);
