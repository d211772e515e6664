import type { Database } from "../database/database.ts";
import { AtlasError } from "../errors/atlas-error.ts";
import { type Mask, maskingBy } from "../schemas/masked.ts";
import type { EventLog } from "./event-log.ts";

/**
 * Stands for a log whose events are elsewhere: its read models can be looked at and exported as they are, and nothing
 * can be added to it.
 */
export function absentLog(
  db: Database,
  { id, partitions }: { id: string; partitions: number },
  mask?: Mask,
): EventLog {
  const refuse = (): never => {
    throw new AtlasError("ATLAS_LOG_MISCONFIGURED", "the events of these read models are in another log", {
      where: db.address,
      hint: "Configure that log: set ATLAS_KAFKA_BROKERS and ATLAS_SCHEMA_REGISTRY_URL, or pass --config.",
    });
  };
  return {
    id,
    kind: "kafka",
    partitions,
    address: db.address,
    db,
    mask: maskingBy(mask),
    // What it cannot take it may describe all the same.
    define: async () => undefined,
    definitions: async () => [],
    append: async () => refuse(),
    read: refuse,
    readRaw: refuse,
    ends: async () => new Map(),
    consume: async () => refuse(),
    subscribe: refuse,
    caughtUp: async () => undefined,
    check: async () => [],
    close: async () => undefined,
  };
}
