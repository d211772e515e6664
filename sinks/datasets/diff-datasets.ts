import { SortedLines } from "../../files/sorted-lines.ts";
import { type DatasetManifest, type ListedSession, readManifest } from "./manifest.ts";
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

/** The sessions that a dataset lists, in the order of their ids. */
async function* byId(folder: string, manifest: DatasetManifest): AsyncGenerator<ListedSession> {
  const sorted = new SortedLines();
  try {
    for await (const session of listedSessions(folder, manifest))
      await sorted.add(`${session.session_id}\t${JSON.stringify(session)}`);
    for await (const line of sorted.lines())
      yield JSON.parse(line.slice(line.indexOf("\t") + 1)) as ListedSession;
  } finally {
    await sorted.close();
  }
}

/** Sessions of two lists side by side: undefined where only the other one has it. */
async function* pairs(
  before: AsyncGenerator<ListedSession>,
  after: AsyncGenerator<ListedSession>,
): AsyncGenerator<[ListedSession | undefined, ListedSession | undefined]> {
  const next = async (list: AsyncGenerator<ListedSession>): Promise<ListedSession | undefined> =>
    (await list.next()).value as ListedSession | undefined;
  try {
    let [old, now] = [await next(before), await next(after)];
    while (old !== undefined || now !== undefined) {
      const isOld = now === undefined || (old !== undefined && old.session_id <= now.session_id);
      const isNow = old === undefined || (now !== undefined && now.session_id <= old.session_id);
      yield [isOld ? old : undefined, isNow ? now : undefined];
      if (isOld) old = await next(before);
      if (isNow) now = await next(after);
    }
  } finally {
    await before.return(undefined);
    await after.return(undefined);
  }
}

/**
 * Compares two datasets by the sessions that they list, whatever their formats and files are.
 *
 * @param before a manifest, or a folder
 * @throws AtlasError ATLAS_FILE_UNREADABLE, ATLAS_DATASET_INVALID, ATLAS_DATASET_TAMPERED
 */
export async function diffDatasets(before: string, after: string): Promise<DatasetDiff> {
  const a = await readManifest(before);
  const b = await readManifest(after);
  const diff: DatasetDiff = {
    digests: [a.manifest.digest, b.manifest.digest],
    added: [],
    removed: [],
    rewardsMoved: [],
    splitsMoved: [],
    otherwiseChanged: [],
    unchanged: 0,
  };
  for await (const [known, session] of pairs(byId(a.folder, a.manifest), byId(b.folder, b.manifest))) {
    if (known === undefined || session === undefined) {
      if (known !== undefined) diff.removed.push(sideOf(known));
      if (session !== undefined) diff.added.push(sideOf(session));
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
  return diff;
}
