import { describe } from "vitest";
import { openPostgres } from "../../database/pg-database.ts";
import { missing, postgres } from "../services/services.ts";
import { type LogUnderTest, logContract } from "./contract.ts";
import { closedContract } from "./contract-closed.ts";
import { troublesContract } from "./contract-troubles.ts";
import { userEventsContract } from "./contract-user-events.ts";
import { postgresUnderTest } from "./postgres-under-test.ts";

describe.skipIf(await missing("postgres"))("with a database server", () => {
  const create = async (): Promise<LogUnderTest> => {
    const { url } = await postgres();
    return postgresUnderTest(() => openPostgres(url));
  };
  logContract("a Postgres server", create);
  troublesContract("a Postgres server", create);
  userEventsContract("a Postgres server", create);
  closedContract("a Postgres server", create);
});
