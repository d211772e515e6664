import { describe } from "vitest";
import { openPostgres } from "../../database/pg-database.ts";
import { missing, postgres } from "../services/services.ts";
import { logContract } from "./contract.ts";
import { postgresUnderTest } from "./postgres-under-test.ts";

describe.skipIf(await missing("postgres"))("with a database server", () => {
  logContract("a Postgres server", async () => {
    const { url } = await postgres();
    return postgresUnderTest(() => openPostgres(url));
  });
});
