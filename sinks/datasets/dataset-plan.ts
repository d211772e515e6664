import type { SessionTrace } from "../../traces/session-trace.ts";
import type { ChosenSession } from "./collect-sessions.ts";
import { partOf, type Split, shardOf, trainingPart } from "./split.ts";

/** A file that is to be written, and the sessions that go into it. */
export interface PlannedFile {
  name: string;
  split: string | null;
  shard: number;
  sessions: ChosenSession[];
}

/** A session of the training part that repeats one which is held out. */
export interface Duplicate {
  session_id: SessionTrace["session_id"];
  of: SessionTrace["session_id"];
  split: string;
}

/** What goes where. */
export interface DatasetPlan {
  files: PlannedFile[];
  duplicates: Duplicate[];
}

const five = (number: number): string => String(number).padStart(5, "0");

const nameOf = (split: string | null, shard: number, shards: number, extension: string): string =>
  `${split ?? "data"}${shards === 1 ? "" : `-${five(shard)}-of-${five(shards)}`}.${extension}`;

/** What is held out, by content; of several sessions with one content, the one with the least id. */
function heldOut(sessions: Iterable<{ session: ChosenSession; part: string }>, training: string) {
  const byContent = new Map<string, { of: string; split: string }>();
  for (const { session, part } of sessions) {
    if (part === training) continue;
    const known = byContent.get(session.content);
    if (known === undefined || session.sessionId < known.of)
      byContent.set(session.content, { of: session.sessionId, split: part });
  }
  return byContent;
}

/**
 * Divides sessions into files. Whatever was there before stays where it was when sessions are added; only what turns
 * out to repeat a session that is held out leaves the training part.
 *
 * @param sessions in the order in which they are to stand in the files
 */
export function planFiles(
  sessions: readonly ChosenSession[],
  { split, shards, extension }: { split: Split | null; shards: number; extension: string },
): DatasetPlan {
  const parts = split === null ? [null] : Object.keys(split.parts);
  const files = parts.flatMap((part) =>
    Array.from({ length: shards }, (_, shard): PlannedFile => {
      const name = nameOf(part, shard, shards, extension);
      return { name, split: part, shard, sessions: [] };
    }),
  );
  const fileOf = new Map(files.map((file) => [`${file.split}/${file.shard}`, file]));
  const put = (session: ChosenSession, part: string | null): void =>
    void fileOf.get(`${part}/${shardOf(session.sessionId, shards)}`)!.sessions.push(session);
  if (split === null) {
    for (const session of sessions) put(session, null);
    return { files, duplicates: [] };
  }
  const placed = sessions.map((session) => ({
    session,
    part: partOf(split, split.by === "session" ? session.sessionId : session.learningKey),
  }));
  const training = trainingPart(split);
  const held = heldOut(placed, training);
  const duplicates: Duplicate[] = [];
  for (const { session, part } of placed) {
    const repeats = part === training ? held.get(session.content) : undefined;
    if (repeats === undefined) put(session, part);
    else duplicates.push({ session_id: session.sessionId, ...repeats });
  }
  return { files, duplicates };
}
