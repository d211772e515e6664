import type { Database, Queryable } from "../database/database.ts";
import type { AssignmentKey } from "../log/runner/assignment-store.ts";
import {
  clearKeyedStates,
  dropKeyedStates,
  type KeyedState,
  loadKeyedStates,
  otherVersions,
  saveKeyedStates,
} from "../log/runner/keyed-state.ts";
import type { Processor } from "../processors/processor.ts";
import { type KeyState, otherVersion } from "../processors/run-processor.ts";

/** What keys of an assignment have, undefined for those that keep nothing. */
export type KeyStates = ReadonlyMap<string, KeyState | undefined>;

/** The saved states of these keys. */
export async function loadStates(
  tx: Queryable,
  place: AssignmentKey,
  keys: readonly string[],
): Promise<Map<string, KeyState>> {
  const rows = await loadKeyedStates(tx, place, keys);
  return new Map(
    rows.map(({ key, state, version, emitted }) => [
      key,
      { state: state === null ? undefined : JSON.parse(state), version, emitted },
    ]),
  );
}

/** Saves states, and drops those of keys that keep nothing. */
export async function saveStates(tx: Queryable, place: AssignmentKey, states: KeyStates): Promise<void> {
  const kept: KeyedState[] = [];
  const dropped: string[] = [];
  for (const [key, keyState] of states) {
    if (keyState === undefined) dropped.push(key);
    else {
      const { version, emitted, state } = keyState;
      kept.push({ key, version, emitted, state: state === undefined ? null : JSON.stringify(state) });
    }
  }
  await dropKeyedStates(tx, place, dropped);
  await saveKeyedStates(tx, place, kept);
}

/**
 * Puts states that were computed anew in the place of all that an assignment has. What each key has emitted stays
 * counted: its source must never say a sequence twice.
 */
export async function replaceStates(
  tx: Queryable,
  place: AssignmentKey,
  version: number,
  states: KeyStates,
): Promise<void> {
  const counts = await clearKeyedStates(tx, place);
  const renewed = new Map<string, KeyState>();
  for (const key of new Set([...states.keys(), ...counts.keys()])) {
    const state = states.get(key)?.state;
    const emitted = counts.get(key) ?? 0;
    if (state !== undefined || emitted > 0) renewed.set(key, { state, version, emitted });
  }
  await saveStates(tx, place, renewed);
}

/**
 * The partitions in which a processor has state of an earlier version, with the earliest.
 *
 * @throws AtlasError ATLAS_PROCESSOR_OUTDATED where a later version than this process has went on
 */
export async function outdatedPartitions(
  db: Database,
  { name, version }: Pick<Processor, "name" | "version">,
): Promise<Map<number, number>> {
  const others = await otherVersions(db, name, version);
  const newer = others.find(({ latest }) => latest > version);
  if (newer !== undefined) throw otherVersion({ name, version }, newer.latest);
  return new Map(others.map(({ partition, earliest }) => [partition, earliest]));
}

/** @throws AtlasError ATLAS_PROCESSOR_OUTDATED where state of another version keeps a processor from going on */
export async function refuseOutdated(
  db: Database,
  processor: Pick<Processor, "name" | "version">,
): Promise<void> {
  const [earliest] = (await outdatedPartitions(db, processor)).values();
  if (earliest !== undefined) throw otherVersion(processor, earliest);
}
