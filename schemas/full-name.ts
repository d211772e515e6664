/** The Avro namespace of Atlas's events. */
export const EVENTS_NAMESPACE = "atlas.events";

/**
 * The full Avro name of an event, which is its subject in a registry: a type of a user has its namespace in it.
 *
 * @example
 * fullNameOf("StepSkipped"); // "atlas.events.StepSkipped"
 */
export const fullNameOf = (type: string): string =>
  type.includes(".") ? type : `${EVENTS_NAMESPACE}.${type}`;
