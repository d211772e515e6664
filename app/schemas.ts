/** The entry `atlas-sdk/schemas`: events, their codec, and where they belong. */

export { createEvent, decodeEvent, type EncodedEvent, encodeEvent } from "../schemas/codec.ts";
export { fingerprint } from "../schemas/fingerprint.ts";
export type * from "../schemas/generated/events.ts";
export { RELEASED_SCHEMAS, type ReleasedSchema } from "../schemas/generated/released.ts";
export { idOf, isoOf, newId, nowMicros } from "../schemas/identity.ts";
export { partitionOf } from "../schemas/partition.ts";
export { DEFAULT_RULES, type Rules, rulesHash } from "../schemas/rules.ts";
export { DERIVED_TOPICS, keyOf, PRIMARY_TOPICS, TOPICS, type Topic, topicOf } from "../schemas/topics.ts";
