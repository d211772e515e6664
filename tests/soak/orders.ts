import type { Place } from "./place.ts";

/**
 * What a process does: consume until it is stopped, import without consuming, import without waiting until a session is
 * rewarded before the next one of its learning key follows, or import and consume.
 */
export type Role = "worker" | "importer" | "hasty importer" | "both";

/** What a process is told. */
export interface Orders {
  place: Place;
  role: Role;
  file: string;
}

/** Exit code of a process that may be started again: what it worked through was killed. */
export const TRY_AGAIN = 75;
