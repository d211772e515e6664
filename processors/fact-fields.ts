import { AtlasError } from "../errors/atlas-error.ts";
import type { AtlasEvent, Uuid } from "../schemas/generated/events.ts";

const lacks = (event: AtlasEvent, field: string): AtlasError =>
  new AtlasError("ATLAS_EVENT_INVALID", `${event.type} has no ${field}`, {
    where: `event ${event.meta.event_id}`,
  });

/**
 * The session that a fact is about.
 *
 * @throws AtlasError ATLAS_EVENT_INVALID for a fact without one
 */
export function sessionOf(fact: AtlasEvent): Uuid {
  const session = fact.meta.session_id;
  if (session === null || session === undefined) throw lacks(fact, "session_id");
  return session;
}

/** How often what a fact says was computed anew; 0 for the first time, and for what was not derived. */
export const revisionOf = (fact: AtlasEvent): number => fact.meta.derivation?.revision ?? 0;

/**
 * The rules that a derived fact was computed by.
 *
 * @throws AtlasError ATLAS_EVENT_INVALID for a fact that was not derived
 */
export function rulesHashOf(fact: AtlasEvent): string {
  const hash = fact.meta.derivation?.rules_hash;
  if (hash === undefined) throw lacks(fact, "derivation");
  return hash;
}
