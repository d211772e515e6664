import { AtlasError, isAtlasError, messageOf } from "../../errors/atlas-error.ts";
import type { Backoff } from "../../errors/retry.ts";
import type { KafkaSettings } from "./settings.ts";

/** Between tries while brokers or the registry do not answer. */
export const BROKER_BACKOFF: Backoff = { firstMs: 100, longestMs: 3000 };

interface KafkaFailure {
  name?: string;
  /** The protocol's name of the error. */
  type?: string;
  topic?: string;
  partition?: number;
  cause?: unknown;
}

/** What went wrong under the wrappers in which kafkajs reports it; of several, the first. */
export function rootOf(error: unknown): KafkaFailure {
  let root = error;
  for (;;) {
    if (typeof root !== "object" || root === null) break;
    if ("cause" in root && root.cause instanceof Error) root = root.cause;
    else if ("errors" in root && Array.isArray(root.errors) && root.errors.length > 0) root = root.errors[0];
    else break;
  }
  return typeof root === "object" && root !== null ? (root as KafkaFailure) : {};
}

/** Says whether a fetch asked for an offset that the log does not have any more, or not yet. */
export const isOutOfRange = (error: unknown): boolean => rootOf(error).type === "OFFSET_OUT_OF_RANGE";

const REFUSALS: Record<string, string> = {
  MESSAGE_TOO_LARGE: "Raise max.message.bytes of the topic.",
  RECORD_LIST_TOO_LARGE: "Raise max.message.bytes of the topic.",
  INVALID_REPLICATION_FACTOR: "Set replication_factor to no more than there are brokers, or start more.",
  INVALID_RECORD: "Look into the broker's log for what it refused.",
  POLICY_VIOLATION: "Look into the broker's policies for what it refused.",
  TOPIC_AUTHORIZATION_FAILED: "Grant this client the topics.",
  GROUP_AUTHORIZATION_FAILED: "Grant this client the group.",
  CLUSTER_AUTHORIZATION_FAILED: "Grant this client the cluster operation.",
};
const SASL = "Check the user name, the password and the SASL mechanism.";

/** What to do about an answer that trying again would not change; undefined where it may. */
export function refusalHint(error: unknown): string | undefined {
  const { name, type } = rootOf(error);
  if (name?.includes("SASL") === true || type?.includes("SASL") === true) return SASL;
  return type === undefined ? undefined : REFUSALS[type];
}

/** Any failure of Kafka as an error of this package. */
export function logError(error: unknown, settings: KafkaSettings, what: string): AtlasError {
  if (isAtlasError(error)) return error;
  const refused = refusalHint(error);
  const where = settings.address;
  const message = `${what}: ${messageOf(error)}`;
  if (refused !== undefined)
    return new AtlasError("ATLAS_LOG_MISCONFIGURED", message, { where, hint: refused, cause: error });
  return new AtlasError("ATLAS_LOG_UNREACHABLE", message, {
    where,
    hint: "See that the brokers run and can be reached from here.",
    retryable: true,
    cause: error,
  });
}
