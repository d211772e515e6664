import type { Queryable } from "../../database/database.ts";
import { enqueue, forgetSessions, makeDue, sessionsIn } from "../../log/queue/queue-items.ts";
import type { Uuid } from "../../schemas/generated/events.ts";

/** Sessions that wait for their judges, until their judgements are in the log. */
export const JUDGING_QUEUE = "judging";

/** What is kept of a session that waits; its id is that of the item. */
export interface WaitingSession {
  learningKey: string;
}

/** Takes note of a session that will want judging once it ends. */
export const keepWaiting = (tx: Queryable, sessionId: Uuid, learningKey: string): Promise<void> => {
  const payload: WaitingSession = { learningKey };
  return enqueue(tx, JUDGING_QUEUE, [{ id: sessionId, sessionId, payload, parked: true }]);
};

/** Which of these sessions wait. */
export const waitingOf = (tx: Queryable, sessions: readonly Uuid[]): Promise<Set<Uuid>> =>
  sessionsIn(tx, JUDGING_QUEUE, sessions);

/** Takes note that a session ended: it is due. */
export const noteEnd = (tx: Queryable, sessionId: Uuid): Promise<void> =>
  makeDue(tx, JUDGING_QUEUE, sessionId);

/** Forgets a session; `unlessEnded`: not one that is due already. */
export const forget = (
  tx: Queryable,
  sessionId: Uuid,
  { unlessEnded = false }: { unlessEnded?: boolean } = {},
): Promise<void> => forgetSessions(tx, JUDGING_QUEUE, [sessionId], { parked: unlessEnded });
