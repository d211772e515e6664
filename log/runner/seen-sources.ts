import type { Queryable } from "../../database/database.ts";
import type { Uuid } from "../../schemas/generated/events.ts";
import { closerIn, rewardSourceOf, sourceOf } from "../../schemas/sources.ts";
import type { Topic } from "../../schemas/topics.ts";
import type { LogRecord } from "../event-log.ts";
import { isSessionId } from "../session-ids.ts";
import {
  type Closed,
  type KnownSources,
  loadSources,
  markClosed,
  markRewarded,
  type SourcePlace,
  saveSources,
} from "./source-store.ts";

/** What is beyond this does not fit the shared row: then the sources keep rows of their own. */
const MOST_MARKED = 2 ** 31 - 1;
/** What the source of a reward says: that, once. */
const REWARD = 1;

/**
 * What one group has seen of the sources of a batch: a record whose source has said its sequence before is a repetition.
 *
 * A source has a row of its own for each group while its session is under way. The record that closes the session puts
 * one row for all groups in their place. That row tells what is true of the log and not of a group, so each group may use
 * it wherever it is: behind the closing record, what the session and who closed it say up to there are repetitions. A
 * source that goes on all the same has a row of its own again.
 */
export class SeenSources {
  private readonly place: SourcePlace;
  private readonly known: KnownSources;
  private readonly last: Map<string, number>;
  private readonly advanced = new Set<string>();
  /** Sources that say nothing more, unless they went beyond this. */
  private readonly over = new Map<string, number>();
  private readonly closed = new Map<Uuid, Closed>();
  private readonly rewarded = new Map<Uuid, number>();

  private readonly appliedTo: number;

  private constructor(place: SourcePlace, known: KnownSources, appliedTo: number) {
    this.place = place;
    this.known = known;
    this.appliedTo = appliedTo;
    this.last = new Map(known.sequences);
  }

  /**
   * What a group has seen of the sources of these records, of one partition of a topic.
   *
   * @param appliedTo the next offset that the group has to apply, where these are records that it passed before
   */
  static async load(
    tx: Queryable,
    place: SourcePlace,
    batch: readonly LogRecord[],
    appliedTo = 0,
  ): Promise<SeenSources> {
    const { topic } = place;
    const sources = new Set<string>();
    const sessions = new Set<Uuid>();
    for (const { event } of batch) {
      const { source, session_id } = event.meta;
      sources.add(source);
      if (isMarked(topic) && isSessionId(session_id)) sessions.add(session_id);
      // Who closes a session has to know how far the session itself had come.
      if (topic === "atlas.sessions" && closerIn(event) !== undefined) sources.add(session_id!);
    }
    return new SeenSources(place, await loadSources(tx, place, [...sources], [...sessions]), appliedTo);
  }

  /** Says whether a record says something new, and takes it if so. Records come in their order. */
  isNew(record: LogRecord): boolean {
    const { source, sequence } = record.event.meta;
    if (this.isBehindTheEnd(record) || sequence <= (this.last.get(source) ?? -1)) return false;
    this.last.set(source, sequence);
    this.advanced.add(source);
    if (this.place.topic === "atlas.sessions") {
      this.noteClosing(record);
      this.noteClosedBefore(record);
    }
    if (this.place.topic === "atlas.rewards") this.noteReward(record);
    return true;
  }

  /** Saves what was taken. */
  async save(tx: Queryable): Promise<void> {
    await markClosed(tx, this.closed);
    await markRewarded(tx, this.rewarded);
    const isOver = (source: string): boolean =>
      this.last.get(source)! <= (this.over.get(source) ?? Number.NEGATIVE_INFINITY);
    const saved = [...this.advanced].filter((source) => !isOver(source));
    const kept = [...this.over.keys()].filter((source) => this.known.sequences.has(source));
    await saveSources(tx, this.place, {
      saved: new Map(saved.map((source) => [source, this.last.get(source)!])),
      dropped: kept.filter(isOver),
    });
  }

  private isBehindTheEnd({ offset, event }: LogRecord): boolean {
    const { source, sequence, session_id: session } = event.meta;
    if (!isMarked(this.place.topic) || !isSessionId(session)) return false;
    const { closed, rewardedAt } = this.known.marks.get(session) ?? {};
    if (this.place.topic === "atlas.rewards")
      return offset > (rewardedAt ?? offset) && source === rewardSourceOf(session) && sequence <= REWARD;
    if (closed === undefined || offset <= closed.at) return false;
    return source === session ? sequence <= closed.lastSequence : source === sourceOf(closed.closer, session);
  }

  private noteClosing({ offset, event }: LogRecord): void {
    const closer = closerIn(event);
    const { source, sequence, session_id: session } = event.meta;
    if (closer === undefined || !isSessionId(session)) return;
    const marks = this.known.marks.get(session);
    let closed = marks?.closed;
    // A session is closed once. Only a group that could not apply that record can have taken a later one for it.
    if (closed !== undefined && closed.at < offset) return;
    if (closed?.at !== offset) {
      const lastSequence = this.last.get(session) ?? 0;
      if (lastSequence > MOST_MARKED) return;
      closed = { at: offset, lastSequence, closer };
      this.closed.set(session, closed);
      this.known.marks.set(session, { ...marks, closed });
    }
    this.over.set(source, sequence);
    this.over.set(session, closed!.lastSequence);
  }

  /** A record that was set aside comes after all to a group that has passed the end of its session. */
  private noteClosedBefore({ event }: LogRecord): void {
    const { source, session_id: session } = event.meta;
    const closed = isSessionId(session) ? this.known.marks.get(session)?.closed : undefined;
    if (closed === undefined || closed.at >= this.appliedTo) return;
    if (source === session) this.over.set(source, closed.lastSequence);
    else if (source === sourceOf(closed.closer, session!)) this.over.set(source, Number.POSITIVE_INFINITY);
  }

  private noteReward({ offset, event }: LogRecord): void {
    const { source, sequence, session_id: session } = event.meta;
    if (!isSessionId(session) || source !== rewardSourceOf(session)) return;
    if (sequence !== REWARD || offset > MOST_MARKED) return;
    const marks = this.known.marks.get(session);
    if ((marks?.rewardedAt ?? Number.POSITIVE_INFINITY) > offset) {
      this.rewarded.set(session, offset);
      this.known.marks.set(session, { ...marks, rewardedAt: offset });
    }
    this.over.set(source, REWARD);
  }
}

/** The topics on which the end of a source is known from its session. */
const isMarked = (topic: Topic): boolean => topic === "atlas.sessions" || topic === "atlas.rewards";
