import { AtlasError } from "../errors/atlas-error.ts";
import type { LogRecord } from "../log/event-log.ts";
import { isSessionId } from "../log/session-ids.ts";
import type {
  AtlasEvent,
  DeadLettered,
  DeadLetterRetried,
  PlaybookRevised,
  Uuid,
} from "../schemas/generated/events.ts";

/** What a batch says, by what it is about. */
export interface Work {
  own: Map<Uuid, AtlasEvent[]>;
  facts: Map<Uuid, AtlasEvent[]>;
  letters: DeadLettered[];
  retried: DeadLetterRetried[];
  playbooks: PlaybookRevised[];
}

/**
 * Sorts a batch by what it is about. Events of other topics that are about no session of ours need no row.
 *
 * @throws AtlasError ATLAS_EVENT_INVALID for an event of a session's topic that names no session
 */
export function workOf(batch: readonly LogRecord[]): Work {
  const work: Work = { own: new Map(), facts: new Map(), letters: [], retried: [], playbooks: [] };
  for (const { topic, event } of batch) {
    const session = event.meta.session_id;
    if (event.type === "DeadLettered") work.letters.push(event);
    if (event.type === "DeadLetterRetried") work.retried.push(event);
    if (event.type === "PlaybookRevised") work.playbooks.push(event);
    else if (isSessionId(session)) {
      const into = topic === "atlas.sessions" ? work.own : work.facts;
      const list = into.get(session);
      if (list === undefined) into.set(session, [event]);
      else list.push(event);
    } else if (topic === "atlas.sessions") {
      throw new AtlasError(
        "ATLAS_EVENT_INVALID",
        `${event.type} has no session_id that is a UUID in lower case`,
        {
          where: `event ${event.meta.event_id}`,
        },
      );
    }
  }
  return work;
}
