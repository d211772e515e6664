import { reviewer } from "../../configs/reviewer.ts";
import type { Queryable } from "../../database/database.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import { retry } from "../../errors/retry.ts";
import type { EventLog } from "../../log/event-log.ts";
import { toOutgoing } from "../../log/outgoing.ts";
import { loadCheckpoints, publishInUnit } from "../../log/runner/assignment-store.ts";
import {
  emittedOf,
  forgetAnswers,
  groupOfVersion,
  isShadow,
  letAnswer,
  loadAnswers,
  lockVersions,
  outboxOf,
  readShadow,
  type ShadowRow,
  shadowSchemas,
  versionOfGroup,
  versionRoles,
} from "../../log/runner/versions.ts";
import { createEvent, decodeEvent, releasedSchema } from "../../schemas/codec.ts";
import type { AtlasEvent, EventType } from "../../schemas/generated/events.ts";
import { newId, nowMicros } from "../../schemas/identity.ts";
import { alreadyMasked, type Masked } from "../../schemas/masked.ts";
import { type Topic, topicOf } from "../../schemas/topics.ts";
import { sourceOfRevision } from "../revision-source.ts";
import { digestOfResult, type NotedTo, type Noting, noteAnswers, noteRest, questionOf } from "./answers.ts";

/** Which version of a processor is to answer. */
export interface PromoteVersionOptions {
  processor: string;
  /** The highest that this database has, unless told. */
  version?: number | undefined;
  /** Who promotes it; `ATLAS_REVIEWER`, else the user of the operating system, unless told. */
  author?: string | undefined;
  /** Milliseconds without progress after which it is given up; 30,000 unless told. */
  timeoutMs?: number | undefined;
  onProgress?: ((partitions: number, of: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** What a promotion did. */
export interface PromotedVersion {
  processor: string;
  version: number;
  /** Partitions in which it had not answered before. */
  partitions: number;
  /** Results that differ from those of the version before, and were published as revisions. */
  revised: number;
  /** Results that the version before never had. */
  added: number;
}

const PATIENCE_MS = 30_000;
const PAGE = 500;

/** A moment in which the versions were not where they have to be; it is tried again. */
class NotYet extends Error {}

/**
 * Lets a version of a processor answer in the place of the one that does, exactly at a position: in each partition, in one
 * transaction that neither works in. What it says otherwise about facts before that position is published as revisions;
 * what it has said about later ones, as it is. The version before goes on without being heard, until it is promoted again or
 * retired.
 *
 * In a database that is not the first one on its log, no version answers until it is promoted: that tells it to be the one that
 * publishes, and the other one has to be stopped.
 *
 * Each partition is promoted by itself and tells so with a `DerivationPromoted`. One that was interrupted goes on when it is
 * called again.
 *
 * @param log with a database
 * @throws AtlasError ATLAS_VERSION_NOT_FOUND; ATLAS_CONSUMER_BEHIND when it does not catch up with the other one
 */
export async function promoteVersion(
  log: EventLog,
  options: PromoteVersionOptions,
): Promise<PromotedVersion> {
  const { processor } = options;
  const db = log.db!;
  const rolesNow = async () =>
    (await versionRoles(db)).filter(({ group }) => versionOfGroup(group)?.name === processor);
  const known = await rolesNow();
  const versions = [...new Set(known.map(({ group }) => versionOfGroup(group)!.version))].sort(
    (a, b) => a - b,
  );
  const version = options.version ?? versions.at(-1);
  if (version === undefined || !versions.includes(version))
    throw unknownVersion(processor, version, versions);
  const to = groupOfVersion({ name: processor, version });
  const roles = await patiently(options, async () => {
    const all = await rolesNow();
    if (all.filter(({ group }) => group === to).length === log.partitions) return all;
    throw new NotYet(`${to} has not begun in every partition`);
  });
  const silent = roles.filter(({ group, shadow }) => group === to && shadow === true);
  const result: PromotedVersion = { processor, version, partitions: 0, revised: 0, added: 0 };
  if (silent.length === 0) return result;

  const promotion = newId();
  let noted: NotedTo = new Map();
  try {
    for (const { partition } of silent) {
      const from = roles.find((role) => role.partition === partition && role.shadow === false)?.group;
      const { revised, added, taken } = await patiently(options, async () => {
        // It may say more with every try: the version may have begun only just now.
        const noting: Noting = { log, promotion, processor, topics: await shadowTopics(db, to) };
        await noteAnswers(db, noting, noted);
        const takeover = { to, from, partition, noting, noted, options };
        const done = await db.transaction((tx) => takeOver(tx, takeover));
        noted = done.noted;
        return done;
      });
      log.announce?.();
      if (taken) result.partitions += 1;
      result.revised += revised;
      result.added += added;
      options.onProgress?.(result.partitions, silent.length);
    }
    return result;
  } finally {
    await forgetAnswers(db, promotion);
  }
}

const unknownVersion = (
  processor: string,
  version: number | undefined,
  known: readonly number[],
): AtlasError =>
  new AtlasError(
    "ATLAS_VERSION_NOT_FOUND",
    `this database has no ${version === undefined ? "version" : `version ${version}`} of ${processor}`,
    {
      where: processor,
      hint:
        known.length === 0
          ? "`atlas processors list` shows those that it has; a version begins when a process runs it."
          : `It has ${known.join(" and ")}; a version begins when a process runs it.`,
    },
  );

/** Tries again for as long as the versions are not where they have to be. */
async function patiently<T>(
  { timeoutMs = PATIENCE_MS, signal }: PromoteVersionOptions,
  body: () => Promise<T>,
): Promise<T> {
  const passes = (error: unknown): boolean => error instanceof NotYet;
  try {
    return await retry(body, { firstMs: 20, longestMs: 250, forMs: timeoutMs, passes, signal });
  } catch (error) {
    if (!(error instanceof NotYet)) throw error;
    throw new AtlasError("ATLAS_CONSUMER_BEHIND", error.message, {
      hint: "See that processes run both versions, or only the new one where the old one has published all, and try again.",
      retryable: true,
    });
  }
}

/** The topics of all that a version has said without being heard. */
async function shadowTopics(db: Queryable, group: string): Promise<Topic[]> {
  const types = (await shadowSchemas(db, group)).map((schema) => releasedSchema(schema)!.name as EventType);
  return [...new Set(types.map(topicOf))];
}

interface Takeover {
  to: string;
  from: string | undefined;
  partition: number;
  noting: Noting;
  noted: NotedTo;
  options: PromoteVersionOptions;
}

/** Promotes a version in one partition, in the caller's transaction. */
async function takeOver(
  tx: Queryable,
  { to, from, partition, noting, noted, options }: Takeover,
): Promise<{ revised: number; added: number; taken: boolean; noted: NotedTo }> {
  const { log } = noting;
  const { name, version } = versionOfGroup(to)!;
  await lockVersions(tx, from === undefined ? [to] : [to, from], partition);
  // Another promotion was first.
  if (!(await isShadow(tx, { group: to, partition })))
    return { revised: 0, added: 0, taken: false, noted: new Map(noted) };
  const at = new Map(
    [...(await loadCheckpoints(tx, { group: from ?? to, partition }))].map(([topic, { nextOffset }]) => [
      topic,
      nextOffset,
    ]),
  );
  await refuseUnlessThere(tx, { to, from, partition }, at);
  const unnoted = (await shadowTopics(tx, to)).filter((topic) => !noting.topics.includes(topic));
  if (unnoted.length > 0) throw new NotYet(`${to} has begun to say something on ${unnoted.join(", ")}`);
  const after = await noteRest(tx, noting, noted);
  const publish = async (events: readonly Masked[]): Promise<void> => {
    if (events.length === 0) return;
    await publishInUnit(tx, log, { group: to, partition }, toOutgoing(events, log.partitions));
  };
  const counts = { revised: 0, added: 0 };
  const next = new Map<string, number>();
  const places = new Map<string, number>();
  for (let number = 0; ; ) {
    const rows = await readShadow(tx, { group: to, partition }, number, PAGE);
    if (rows.length === 0) break;
    number = rows.at(-1)!.number;
    const events = await spoken(
      tx,
      rows,
      { promotion: noting.promotion, name, from, partition, at, next, places },
      counts,
    );
    await publish(events);
  }
  const emitted = new Map([...next].map(([source, sequence]) => [source.slice(name.length + 1), sequence]));
  await letAnswer(tx, partition, { to, from, emitted });
  const told = promoted(
    { processor: name, version, author: options.author ?? reviewer() },
    { partition, at, retired: from === undefined ? null : versionOfGroup(from)!.version },
  );
  await publish([log.mask(told)]);
  return { ...counts, taken: true, noted: after };
}

/** Makes sure that the one has applied all that the other has, and that all of that one is in the log. */
async function refuseUnlessThere(
  tx: Queryable,
  { to, from, partition }: Pick<Takeover, "to" | "from" | "partition">,
  at: ReadonlyMap<Topic, number>,
): Promise<void> {
  const own = await loadCheckpoints(tx, { group: to, partition });
  for (const [topic, offset] of at)
    if ((own.get(topic)?.nextOffset ?? 0) < offset)
      throw new NotYet(`${to} has not applied all of ${topic}[${partition}] that ${from} has`);
  if (from !== undefined && (await outboxOf(tx, from, partition)) > 0)
    throw new NotYet(`results of ${from} wait in its outbox`);
}

interface Spoken {
  promotion: string;
  name: string;
  from: string | undefined;
  partition: number;
  at: ReadonlyMap<Topic, number>;
  /** The last sequence of each source that was given here. */
  next: Map<string, number>;
  /** How many results of a question were seen; those of one fact are kept one after the other. */
  places: Map<string, number>;
}

/** What of the kept emissions has to be published, as it is published. */
async function spoken(
  tx: Queryable,
  rows: readonly ShadowRow[],
  { promotion, name, from, partition, at, next, places }: Spoken,
  counts: { revised: number; added: number },
) {
  const kept = rows.map((row) => ({ row, event: decodeEvent(row.fingerprint, row.body) }));
  const causes = [...new Set(kept.map(({ event }) => event.meta.causation_id ?? ""))];
  const answers = await loadAnswers(tx, promotion, causes);
  const sources = [...new Set(kept.map(({ event }) => event.meta.source))];
  await startSequences(tx, { name, from, partition, next }, sources);
  const events: AtlasEvent[] = [];
  for (const { row, event } of kept) {
    const question = questionOf(event);
    const place = places.get(question) ?? 0;
    places.set(question, place + 1);
    const answer = answers.get(question);
    const isLater = from !== undefined && row.causeOffset >= (at.get(row.causeTopic) ?? 0);
    if (isLater || answer === undefined) {
      if (!isLater) counts.added += 1;
      // Without another version here, its own count is that of the log.
      events.push(from === undefined ? event : asFirst(event, next));
    } else if (answer.digests[place] !== digestOfResult(event)) {
      counts.revised += 1;
      events.push(asRevision(event, answer.revision + 1, place + 1));
    }
  }
  const last = questionOf(kept.at(-1)!.event);
  for (const question of places.keys()) if (question !== last) places.delete(question);
  return events.map(alreadyMasked);
}

/** Both versions speak as one source: what is published comes behind all that the other one has said. */
async function startSequences(
  tx: Queryable,
  { name, from, partition, next }: Pick<Spoken, "name" | "from" | "partition" | "next">,
  sources: readonly string[],
): Promise<void> {
  const unknown = sources.filter((source) => !next.has(source));
  const keyOf = (source: string): string => source.slice(name.length + 1);
  const emitted =
    from === undefined
      ? new Map<string, number>()
      : await emittedOf(tx, { group: from, partition }, unknown.map(keyOf));
  for (const source of unknown) next.set(source, emitted.get(keyOf(source)) ?? 0);
}

/** A result that nobody gave before: the next one of its source. */
function asFirst(event: AtlasEvent, next: Map<string, number>): AtlasEvent {
  const { meta } = event;
  const sequence = (next.get(meta.source) ?? 0) + 1;
  next.set(meta.source, sequence);
  return { ...event, meta: { ...meta, sequence } } as AtlasEvent;
}

/** A result that stands in the place of another one. Its source says nothing else. */
function asRevision(event: AtlasEvent, revision: number, sequence: number): AtlasEvent {
  const { meta } = event;
  const source = sourceOfRevision(meta, revision);
  const derivation = meta.derivation ? { ...meta.derivation, revision } : null;
  return { ...event, meta: { ...meta, source, sequence, derivation } } as AtlasEvent;
}

function promoted(
  what: { processor: string; version: number; author: string },
  { partition, at, retired }: { partition: number; at: ReadonlyMap<Topic, number>; retired: number | null },
): AtlasEvent {
  const id = newId();
  return createEvent(
    "DerivationPromoted",
    {
      event_id: id,
      source: `promotion/${id}`,
      sequence: 1,
      occurred_at: nowMicros(),
      time_assumed: false,
    },
    {
      ...what,
      rules_hash: "",
      positions: [...at].map(([topic, offset]) => ({ topic, partition, offset })),
      retired,
    },
  );
}
