import type { Queryable } from "../database/database.ts";
import type { AssignmentKey } from "../log/runner/assignment-store.ts";
import {
  clearKeyedStates,
  dropKeyedStates,
  type KeyedState,
  loadKeyedStates,
  saveKeyedStates,
} from "../log/runner/keyed-state.ts";
import type { KeyState } from "../processors/run-processor.ts";

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
