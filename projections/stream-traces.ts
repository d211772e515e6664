import type { Queryable } from "../log/postgres/database.ts";
import { withFacts } from "../traces/fold.ts";
import type { SessionTrace } from "../traces/session-trace.ts";
import { loadFacts } from "./session-facts.ts";
import type { SessionPage } from "./session-filters.ts";
import { sessionKeys } from "./session-keys.ts";
import { loadStored } from "./stored-events.ts";
import { tablesIn } from "./tables.ts";

/** How much is in memory at a time, at least one session. */
const GROUP = { items: 100, size: 8 * 1024 * 1024 };

/**
 * The traces of the sessions that pass the filters, newest first, in bounded memory: each equals the fold of the
 * session's events from the log.
 *
 * @example
 * for await (const trace of streamTraces(db, { learningKey: "code-review" })) show(trace);
 */
export async function* streamTraces(db: Queryable, filters: SessionPage = {}): AsyncGenerator<SessionTrace> {
  const tables = tablesIn();
  for await (const keys of sessionKeys(db, filters, GROUP)) {
    const facts = await loadFacts(
      db,
      tables,
      keys.map(({ sessionId }) => sessionId),
    );
    const states = await loadStored(db, tables, new Map(keys.map(({ sessionId, id }) => [sessionId, id])));
    for (const { sessionId } of keys) {
      const { trace } = states.get(sessionId)!;
      // Erased since its key was read.
      if (trace.started === null) continue;
      yield withFacts(trace, facts.get(sessionId)!.facts);
    }
  }
}
