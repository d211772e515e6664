import type { Apply, Unit } from "../log/event-log.ts";
import { noteRetried, saveDeadLetters } from "../log/runner/dead-letter-store.ts";
import { lockSessions } from "../log/session-ids.ts";
import type { AtlasEvent, Uuid } from "../schemas/generated/events.ts";
import { cleanText } from "../traces/clean-text.ts";
import { type Work, workOf } from "./batch-work.ts";
import { writePlaybooks } from "./learning-registry.ts";
import { eraseSessions, isErased, loadFacts, newFacts, saveFacts } from "./session-facts.ts";
import { type TableNames, tablesIn } from "./tables.ts";
import { TraceCache } from "./trace-cache.ts";
import { applyWhole, loadKnown } from "./whole-sessions.ts";
import { type DerivedChange, writeDerived } from "./write-derived.ts";

/** How to fill read models. */
export interface ReadModelOptions {
  /** Where the tables are; the first schema of the search path unless told. */
  schema?: string;
  /** Memory for the traces of sessions under way, in bytes; 64 MiB unless told. */
  cacheBytes?: number;
}

/** The projection of the log into read models. */
export interface ReadModels {
  /** Applies a batch of any of the topics, in one transaction. */
  apply: Apply;
  /** Drops what is remembered of an assignment's sessions: it is not this member's any more, or newly so. */
  forget(partition: number): void;
}

const DEFAULT_CACHE_BYTES = 64 * 1024 * 1024;

/**
 * The read models, as something that a log's consumer applies. They are a function of what the log holds: however
 * its topics interleave, whatever is repeated, and wherever a unit fails, the rows come out the same.
 *
 * A session's own events arrive in one assignment, what was derived of it or decided about it in another, perhaps in
 * another process. Whoever comes second sees what the first one wrote, because both lock the session; the first
 * assignment writes whole rows from all that is known, the second one the columns that are its own.
 *
 * @example
 * const { apply, forget } = createReadModels();
 * await log.consume({ group: "read-models", topics: TOPICS, onAssignmentChange: forget }, apply);
 */
export function createReadModels(options: ReadModelOptions = {}): ReadModels {
  const tables = tablesIn(options.schema);
  const cache = new TraceCache(options.cacheBytes ?? DEFAULT_CACHE_BYTES);
  return {
    forget: (partition) => cache.forget(partition),
    apply: async (batch, unit) => applyBatch(workOf(batch), unit, tables, cache),
  };
}

async function applyBatch(work: Work, unit: Unit, tables: TableNames, cache: TraceCache): Promise<void> {
  const { tx, partition } = unit;
  const sessions = [...new Set([...work.own.keys(), ...work.facts.keys()])];
  const ids = await lockSessions(tx, sessions);
  const kept = await loadFacts(tx, tables, sessions);
  const added = new Map(
    [...work.facts].map(([session, facts]) => [session, newFacts(kept.get(session)!, facts)]),
  );
  for (const [session, facts] of added) for (const fact of facts) kept.get(session)!.facts.push(fact);

  const erased = new Set(sessions.filter((session) => isErased(kept.get(session)!.facts)));
  const stays = (session: Uuid): boolean => !erased.has(session);
  await saveFacts(
    tx,
    tables,
    new Map([...added].map(([session, facts]) => [session, facts.filter(worthKeeping(stays(session)))])),
  );
  await saveDeadLetters(
    tx,
    work.letters
      .filter(({ meta }) => stays(meta.session_id ?? ""))
      .map((letter) => ({ ...letter, error: cleanText(letter.error) })),
  );
  await noteRetried(tx, work.retried);
  await writePlaybooks(tx, tables, work.playbooks);
  await eraseSessions(
    tx,
    tables,
    [...added.keys()].filter((session) => isErased(added.get(session)!)),
  );

  for (const session of erased) cache.take(session);

  const known = await loadKnown(tx, tables, [...ids.values()]);
  const whole = sessions.filter(
    (session) => stays(session) && (work.own.has(session) || hasLetter(added.get(session))),
  );
  await applyWhole(whole, { work, ids, kept, known, tx, partition, tables, cache });

  const derived = sessions.filter((session) => stays(session) && !whole.includes(session));
  await writeDerived(
    tx,
    tables,
    derived.flatMap((session) => derivedChange(session)),
  );

  function derivedChange(sessionId: Uuid): DerivedChange[] {
    const id = ids.get(sessionId)!;
    const fresh = (added.get(sessionId) ?? []).filter(({ type }) => DECIDES_COLUMNS.has(type));
    if (fresh.length === 0 || !known.has(id)) return [];
    const rewarded = fresh.some(({ type }) => type === "SessionRewarded");
    return [{ id, sessionId, facts: kept.get(sessionId)!.facts, rewarded }];
  }
}

/** Of what other topics say of a session, only this shows in columns. */
const DECIDES_COLUMNS: ReadonlySet<string> = new Set([
  "SessionRewarded",
  "DriftAssessed",
  "ReviewStatusChanged",
]);

/** Of an erased session only that it was erased is kept. */
const worthKeeping =
  (stays: boolean) =>
  ({ type }: AtlasEvent): boolean =>
    stays || type === "SessionErased";

/** Whether a session is incomplete shows in columns that its own events decide. */
const hasLetter = (facts: readonly AtlasEvent[] | undefined): boolean =>
  facts?.some(({ type }) => type === "DeadLettered" || type === "DeadLetterRetried") ?? false;
