import { inOrder, SortedLines, type SortOptions } from "../../files/sorted-lines.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import type { ChosenSession } from "./collect-sessions.ts";
import { partOf, type Split, shardOf, trainingPart, unitOf } from "./split.ts";

/** A file that is to be written. */
export interface PlannedFile {
  name: string;
  split: string | null;
  shard: number;
}

/** A session, and the place of its file among all files. */
interface Placed {
  file: number;
  session: ChosenSession;
}

/** A session of the training part that repeats one which is held out. */
export interface Duplicate {
  session_id: SessionTrace["session_id"];
  of: SessionTrace["session_id"];
  split: string;
}

/** How sessions are divided. */
export interface Division {
  split: Split | null;
  shards: number;
  /** Of files, without the dot. */
  extension: string;
  /** False where sessions of a group may come into several parts, as they did in layout 1. */
  wholeGroups: boolean;
  /** Puts the sessions of a group into one file, one after the other. */
  groupsTogether: boolean;
}

const five = (number: number): string => String(number).padStart(5, "0");

const nameOf = (split: string | null, shard: number, shards: number, extension: string): string =>
  `${split ?? "data"}${shards === 1 ? "" : `-${five(shard)}-of-${five(shards)}`}.${extension}`;

const HELD_OUT = "0";
const TRAINING = "1";

const rank = (file: number): string => String(file).padStart(9, "0");

/** What JSON writes has no tab in it, and what stands before it here has none either. */
const lineOf = (...words: string[]): string => words.join("\t");

const placedIn = (json: string): Placed => JSON.parse(json) as Placed;

/** The newest first, as an export has them. */
const place = ({ createdAt, sessionId }: ChosenSession): string => lineOf(inOrder(-createdAt), sessionId);

/** Of a group, or of none: a text without a tab, whatever is in the name. */
const groupText = ({ groupId }: ChosenSession): string => (groupId === null ? "" : JSON.stringify(groupId));

/**
 * Divides sessions into files. Whatever was there before stays where it was when later sessions are added; only what turns
 * out to repeat a session that is held out leaves the training part. However many sessions there are, few of them are in
 * memory: the rest is sorted on disk.
 */
export class DatasetPlan {
  /** In the order in which they are written. */
  readonly files: readonly PlannedFile[];
  readonly #division: Division;
  readonly #fileOf: ReadonlyMap<string, number>;
  readonly #training: string | null;
  /** By file, and the newest first. */
  readonly #placed: SortedLines;
  /** By group, the first session of each first: the others follow it. */
  readonly #grouped: SortedLines;
  /** By content, what is held out before what repeats it; of several, the one with the least id first. */
  readonly #contents: SortedLines;

  constructor(division: Division, sorting: SortOptions) {
    const { split, shards, extension } = division;
    const parts = split === null ? [null] : Object.keys(split.parts);
    this.files = parts.flatMap((part) =>
      Array.from({ length: shards }, (_, shard): PlannedFile => {
        const name = nameOf(part, shard, shards, extension);
        return { name, split: part, shard };
      }),
    );
    this.#division = division;
    this.#fileOf = new Map(this.files.map((file, index) => [`${file.split}/${file.shard}`, index]));
    this.#training = split === null ? null : trainingPart(split);
    this.#placed = new SortedLines(sorting);
    this.#grouped = new SortedLines(sorting);
    this.#contents = new SortedLines(sorting);
  }

  /** Takes a session; they come in any order. */
  async add(session: ChosenSession): Promise<void> {
    const { split, wholeGroups } = this.#division;
    if (split === null || !wholeGroups || session.groupId === null) return this.#divide(session);
    const { createdAt, sessionId } = session;
    const line = lineOf(groupText(session), inOrder(createdAt), sessionId, JSON.stringify(session));
    await this.#grouped.add(line);
  }

  /** @param first the first session of its group, where it has to stay with that */
  async #divide(session: ChosenSession, first?: ChosenSession): Promise<void> {
    const { split, shards, groupsTogether } = this.#division;
    const { sessionId, groupId, content } = session;
    const part = split === null ? null : partOf(split, unitOf(split.by, session, first));
    const shard = shardOf(groupsTogether ? (groupId ?? sessionId) : sessionId, shards);
    const file = this.#fileOf.get(`${part}/${shard}`)!;
    if (split === null) return this.#put({ file, session });
    const kind = part === this.#training ? TRAINING : HELD_OUT;
    await this.#contents.add(lineOf(content, kind, sessionId, JSON.stringify({ file, session })));
  }

  async #divideGroups(): Promise<void> {
    let first: ChosenSession | undefined;
    for await (const line of this.#grouped.lines()) {
      const session = JSON.parse(line.split("\t").at(-1)!) as ChosenSession;
      if (first?.groupId !== session.groupId) first = session;
      await this.#divide(session, first);
    }
  }

  async #put(placed: Placed): Promise<void> {
    const { session, file } = placed;
    const group = this.#division.groupsTogether ? groupText(session) : "";
    await this.#placed.add(lineOf(rank(file), group, place(session), JSON.stringify(placed)));
  }

  /**
   * Places what was added, once all was.
   *
   * @returns what is left out for repeating something; the newest first
   */
  async divided(): Promise<Duplicate[]> {
    await this.#divideGroups();
    const duplicates: { place: string; duplicate: Duplicate }[] = [];
    let held: { content: string; of: string; split: string } | undefined;
    for await (const line of this.#contents.lines()) {
      const [content = "", kind, , json = ""] = line.split("\t");
      const { file, session } = placedIn(json);
      const repeats = held?.content === content ? held : undefined;
      if (kind === TRAINING && repeats !== undefined) {
        const { of, split } = repeats;
        const duplicate = { session_id: session.sessionId, of, split };
        duplicates.push({ place: place(session), duplicate });
        continue;
      }
      await this.#put({ file, session });
      if (kind === HELD_OUT && repeats === undefined)
        held = { content, of: session.sessionId, split: this.files[file]!.split! };
    }
    duplicates.sort((a, b) => (a.place < b.place ? -1 : 1));
    return duplicates.map(({ duplicate }) => duplicate);
  }

  /**
   * All sessions once, those of one file after the other; the newest of a file first. Where groups come together, sessions
   * of none stand before them.
   */
  async *sessions(): AsyncGenerator<Placed> {
    for await (const line of this.#placed.lines()) yield placedIn(line.split("\t").at(-1)!);
  }

  /** Gives up what is left of it. */
  async close(): Promise<void> {
    await this.#grouped.close();
    await this.#contents.close();
    await this.#placed.close();
  }
}
