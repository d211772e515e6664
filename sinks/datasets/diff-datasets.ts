import { type ListedSession, readManifest } from "./manifest.ts";
import { listedSessions } from "./verify-dataset.ts";

/** A session that is in one of two datasets only. */
export type OneSided = Pick<ListedSession, "session_id" | "learning_key" | "split" | "reward">;

/** A session that is in both, and not the same. */
export interface ChangedSession {
  session_id: string;
  learning_key: string;
  /** Before and after. */
  reward: [number | null, number | null];
  split: [string | null, string | null];
}

/** What tells two datasets apart; sessions in the order of their ids. */
export interface DatasetDiff {
  /** Digests of the two. */
  digests: [string, string];
  added: OneSided[];
  removed: OneSided[];
  /** Sessions whose reward is another one. */
  rewardsMoved: ChangedSession[];
  /** Sessions that went to another part. */
  splitsMoved: ChangedSession[];
  /** Sessions of which something else changed. */
  otherwiseChanged: string[];
  unchanged: number;
}

const sideOf = ({ session_id, learning_key, split, reward }: ListedSession): OneSided => ({
  session_id,
  learning_key,
  split,
  reward,
});

const byId = (a: { session_id: string }, b: { session_id: string }): number =>
  a.session_id < b.session_id ? -1 : 1;

/**
 * Compares two datasets by the sessions that they list, whatever their formats and files are.
 *
 * @param before a manifest, or a folder
 * @throws AtlasError ATLAS_FILE_UNREADABLE, ATLAS_DATASET_INVALID, ATLAS_DATASET_TAMPERED
 */
export async function diffDatasets(before: string, after: string): Promise<DatasetDiff> {
  const a = await readManifest(before);
  const b = await readManifest(after);
  const old = new Map(
    (await listedSessions(a.folder, a.manifest)).map((session) => [session.session_id, session]),
  );
  const diff: DatasetDiff = {
    digests: [a.manifest.digest, b.manifest.digest],
    added: [],
    removed: [],
    rewardsMoved: [],
    splitsMoved: [],
    otherwiseChanged: [],
    unchanged: 0,
  };
  for (const session of await listedSessions(b.folder, b.manifest)) {
    const known = old.get(session.session_id);
    old.delete(session.session_id);
    if (known === undefined) {
      diff.added.push(sideOf(session));
      continue;
    }
    const { session_id, learning_key } = session;
    const reward: ChangedSession["reward"] = [known.reward, session.reward];
    const split: ChangedSession["split"] = [known.split, session.split];
    const changed = { session_id, learning_key, reward, split };
    const moved = reward[0] !== reward[1];
    if (moved) diff.rewardsMoved.push(changed);
    if (split[0] !== split[1]) diff.splitsMoved.push(changed);
    if (!moved && known.digest !== session.digest) diff.otherwiseChanged.push(session_id);
    else if (!moved && split[0] === split[1]) diff.unchanged += 1;
  }
  diff.removed = [...old.values()].map(sideOf).sort(byId);
  diff.added.sort(byId);
  diff.rewardsMoved.sort(byId);
  diff.splitsMoved.sort(byId);
  diff.otherwiseChanged.sort();
  return diff;
}
