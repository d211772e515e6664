import { createHash } from "node:crypto";
import { AtlasError } from "../../errors/atlas-error.ts";

/** What decides into which part a session falls. */
export const SPLIT_KEYS = ["learning-key", "task", "group", "session"] as const;

/** How a dataset is divided. */
export interface Split {
  /** The share of each part; together they are 1. */
  parts: Readonly<Record<string, number>>;
  seed: number;
  by: (typeof SPLIT_KEYS)[number];
}

/** What of a session a split may go by. */
export interface SplitFacts {
  sessionId: string;
  learningKey: string;
  /** Digest of what was asked. */
  task: string;
  /** The group of rollouts that it belongs to; null for none. */
  groupId: string | null;
}

/** Names of groups are nobody else's keys. */
const groupKey = (groupId: string): string => `group ${groupId}`;

/** What stays in one part with a session that is in no group, or in datasets that divide groups. */
function ownKey(by: Split["by"], { sessionId, learningKey, task }: SplitFacts): string {
  if (by === "learning-key") return learningKey;
  return by === "session" ? sessionId : `task ${task}`;
}

/**
 * What stays in one part with a session.
 *
 * @param first the first session of its group, which all of the group follow; undefined where groups may be divided
 */
export function unitOf(by: Split["by"], session: SplitFacts, first?: SplitFacts): string {
  const { groupId } = session;
  if (first === undefined || groupId === null) return ownKey(by, session);
  return by === "session" || by === "group" ? groupKey(groupId) : ownKey(by, first);
}

/** Most files of one part. */
export const MOST_SHARDS = 256;

const NAME = /^[a-z0-9][a-z0-9_-]{0,31}$/;

const invalid = (message: string, where: string): AtlasError =>
  new AtlasError("ATLAS_FILTER_INVALID", message, { where });

/**
 * Refuses parts that are no shares of a whole, and names that are no names of files.
 *
 * @throws AtlasError ATLAS_FILTER_INVALID
 */
export function refuseSplit({ parts, seed, by }: Split): void {
  const names = Object.keys(parts);
  if (names.length === 0) throw invalid("a split needs at least one part", "split");
  for (const name of names) {
    if (!NAME.test(name) || name === "sessions" || name === "manifest")
      throw invalid(
        `${JSON.stringify(name)} is no name of a part: use up to 32 of a-z, 0-9, - and _, not "sessions" or "manifest"`,
        "split",
      );
    if (!(parts[name]! > 0 && parts[name]! <= 1))
      throw invalid(`the share of ${name} is ${String(parts[name])}, not above 0 and up to 1`, "split");
  }
  const sum = Object.values(parts).reduce((total, share) => total + share, 0);
  if (Math.abs(sum - 1) > 1e-9) throw invalid(`the shares come to ${sum}, not to 1`, "split");
  if (!Number.isSafeInteger(seed)) throw invalid(`the seed is ${String(seed)}, not a whole number`, "seed");
  if (!(SPLIT_KEYS as readonly string[]).includes(by))
    throw invalid(`splitBy is ${JSON.stringify(by)}, not one of ${SPLIT_KEYS.join(", ")}`, "splitBy");
}

/** A number from 0 to below 1 that looks like chance, and is always the same for the same words. */
function chanceOf(...words: (string | number)[]): number {
  const hash = createHash("sha256").update(JSON.stringify(words)).digest();
  return hash.readUIntBE(0, 6) / 2 ** 48;
}

/**
 * The part that a key falls into: it depends on the split and the key only, so nothing moves when others come.
 *
 * @param key what {@link unitOf} makes of a session
 */
export function partOf({ parts, seed }: Split, key: string): string {
  const chance = chanceOf("split", seed, key);
  const entries = Object.entries(parts);
  let sum = 0;
  for (const [name, share] of entries) {
    sum += share;
    if (chance < sum) return name;
  }
  return entries.at(-1)![0];
}

/** The part that models learn from: `train`, or the first one. All others are held out. */
export const trainingPart = ({ parts }: Split): string =>
  Object.hasOwn(parts, "train") ? "train" : Object.keys(parts)[0]!;

/** The shard of a session, from 0. */
export const shardOf = (sessionId: string, shards: number): number =>
  Math.floor(chanceOf("shard", sessionId) * shards);

/**
 * Refuses a number of shards that is none.
 *
 * @throws AtlasError ATLAS_FILTER_INVALID
 */
export function refuseShards(shards: number): void {
  if (!(Number.isInteger(shards) && shards >= 1 && shards <= MOST_SHARDS))
    throw invalid(`shards is ${String(shards)}, not a whole number from 1 to ${MOST_SHARDS}`, "shards");
}
