import type { Place } from "./place.ts";

/** What a process does: consume until it is stopped, import without consuming, or import and consume. */
export type Role = "worker" | "importer" | "both";

/** What a process is told. */
export interface Orders {
  place: Place;
  role: Role;
  file: string;
}

/** Exit code of a process that may be started again: what it worked through was killed. */
export const TRY_AGAIN = 75;
