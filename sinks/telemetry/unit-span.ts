import { randomBytes } from "node:crypto";
import { isAtlasError } from "../../errors/atlas-error.ts";
import type { EventLog, UnitReport } from "../../log/event-log.ts";
import { nowMicros } from "../../schemas/identity.ts";
import type { Span } from "./span.ts";

const hex = (bytes: number): string => randomBytes(bytes).toString("hex");

/** A unit of work that just ended, as a span by the conventions for messaging: a trace of its own. */
export function unitSpan(
  group: string,
  { kind }: Pick<EventLog, "kind">,
  { topic, partition, offset, records, emitted, durationMs, error }: UnitReport,
): Span {
  const until = nowMicros();
  const failed = error !== undefined;
  return {
    traceId: hex(16),
    spanId: hex(8),
    parentId: undefined,
    name: `process ${topic}`,
    kind: "consumer",
    from: until - Math.round(durationMs * 1000),
    until,
    failed,
    attributes: {
      "messaging.system": kind === "kafka" ? "kafka" : "postgresql",
      "messaging.operation.name": "process",
      "messaging.operation.type": "process",
      "messaging.destination.name": topic,
      "messaging.destination.partition.id": String(partition),
      "messaging.consumer.group.name": group,
      "messaging.batch.message_count": records,
      "atlas.offset": offset,
      "atlas.emitted": emitted,
      ...(failed && { "error.type": isAtlasError(error) ? error.code : "_OTHER" }),
    },
    moments: [],
  };
}
