import { cpus, totalmem } from "node:os";
import { openPostgres } from "../database/pg-database.ts";
import { IMAGES } from "../tests/services/docker.ts";
import type { Services } from "../tests/services/services.ts";

/** What was measured on, in one line. */
export async function machineOf(services: Services): Promise<string> {
  const cores = cpus();
  const parts = [
    `${cores.length} cores (${cores[0]?.model.trim() ?? "unknown"})`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `Node ${process.versions.node}`,
  ];
  if (services.brokers.length > 0) {
    const given = process.env.ATLAS_TEST_KAFKA_BROKERS !== undefined;
    parts.push(given ? `Kafka at ${services.brokers.join(",")}` : `Kafka ${IMAGES.kafka.split(":")[1]}`);
  }
  if (services.databaseUrl !== "") {
    const db = await openPostgres(services.databaseUrl);
    const { rows } = await db.query<{ version: string }>(
      "select current_setting('server_version') as version",
    );
    await db.close();
    parts.push(`Postgres ${rows[0]!.version.split(" ")[0]}`);
  }
  return parts.join(", ");
}
