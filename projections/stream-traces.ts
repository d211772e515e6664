import type { Queryable } from "../database/database.ts";
import { withFacts } from "../traces/fold.ts";
import type { SessionTrace } from "../traces/session-trace.ts";
import { loadFacts } from "./session-facts.ts";
import type { SessionPage } from "./session-filters.ts";
import { type SessionKey, sessionKeys } from "./session-keys.ts";
import { loadStored } from "./stored-events.ts";
import { tablesIn } from "./tables.ts";

/** How much one query brings into memory, at least one session; two of them are there at a time. */
const GROUP = { items: 100, size: 4 * 1024 * 1024 };

/**
 * The traces of the sessions that pass the filters, newest first, in bounded memory: each equals the fold of the
 * session's events from the log.
 *
 * @param options.batchSize most sessions of one query, 100 unless told; large ones make smaller batches
 * @example
 * for await (const trace of streamTraces(db, { learningKey: "code-review" })) show(trace);
 */
export async function* streamTraces(
  db: Queryable,
  filters: SessionPage = {},
  { batchSize = GROUP.items }: { batchSize?: number | undefined } = {},
): AsyncGenerator<SessionTrace> {
  const groups = sessionKeys(db, filters, { ...GROUP, items: batchSize });
  const load = async (): Promise<SessionTrace[] | undefined> => {
    const { value: keys, done } = await groups.next();
    return done === true ? undefined : loadTraces(db, keys);
  };
  let ahead = load();
  for (let traces = await ahead; traces !== undefined; traces = await ahead) {
    // The database works on the next group while the caller works on this one.
    ahead = load();
    // Who stops here does not hear of it any more.
    ahead.catch(() => undefined);
    yield* traces;
  }
}

async function loadTraces(db: Queryable, keys: readonly SessionKey[]): Promise<SessionTrace[]> {
  const tables = tablesIn();
  const sessions = keys.map(({ sessionId }) => sessionId);
  const facts = await loadFacts(db, tables, sessions);
  const states = await loadStored(db, tables, new Map(keys.map(({ sessionId, id }) => [sessionId, id])));
  return sessions.flatMap((sessionId) => {
    const { trace } = states.get(sessionId)!;
    // Erased since its key was read.
    return trace.started === null ? [] : [withFacts(trace, facts.get(sessionId)!.facts)];
  });
}
