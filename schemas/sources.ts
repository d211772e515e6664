import type { AtlasEvent, Uuid } from "./generated/events.ts";

/** Who speaks about a session on `atlas.sessions`, each under one source, whose name follows from the session. */
export type Speaker = "session" | "judges" | "reaper";

/**
 * The source of what one speaker says about a session. A session's own events have the session as source.
 *
 * @example
 * sourceOf("judges", sessionId); // "judges/0199a1b2-..."
 */
export const sourceOf = (speaker: Speaker, session: Uuid): string =>
  speaker === "session" ? session : `${speaker}/${session}`;

/** The source of a session's reward, the first computation of which is all that this source says. */
export const rewardSourceOf = (session: Uuid): string => `session-rewards/${session}`;

const CLOSING: Partial<Record<AtlasEvent["type"], readonly Speaker[]>> = {
  SessionJudged: ["session", "judges"],
  SessionAbandoned: ["reaper"],
};

/**
 * Who closes a session by this event: it is the last thing that this speaker says about the session.
 *
 * @returns undefined for every other event
 */
export function closerIn({ type, meta }: AtlasEvent): Speaker | undefined {
  const session = meta.session_id;
  if (session === null || session === undefined) return undefined;
  return CLOSING[type]?.find((speaker) => sourceOf(speaker, session) === meta.source);
}
