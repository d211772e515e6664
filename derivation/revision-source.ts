import type { Meta } from "../schemas/generated/events.ts";

/** Marks the source of a revision; the first computation has none. */
const REVISED = /@[0-9a-f-]{36}@r\d+$/;

/** The source of a revision of what a source has said about a session, or where there is none of what caused it: it says nothing else. */
export const sourceOfRevision = (
  { source, session_id, causation_id }: Pick<Meta, "source" | "session_id" | "causation_id">,
  revision: number,
): string => `${source}@${session_id ?? causation_id}@r${revision}`;

/** The source of the first computation. */
export const withoutRevision = (source: string): string => source.replace(REVISED, "");
