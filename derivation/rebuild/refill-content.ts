import { inOrder, SortedLines } from "../../files/sorted-lines.ts";
import type { OutgoingRecord, PartitionPlace, RawRecord } from "../../log/event-log.ts";
import { MAX_BATCH_EVENTS, toOutgoing } from "../../log/outgoing.ts";
import { revisionOf } from "../../processors/fact-fields.ts";
import { decodeEvent } from "../../schemas/codec.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { alreadyMasked, type Masked } from "../../schemas/masked.ts";
import { sourceOfRevision } from "../revision-source.ts";

type Body = Pick<OutgoingRecord, "key" | "fingerprint" | "body">;

const write = ({ key, fingerprint, body }: Body): string =>
  JSON.stringify([key, fingerprint, body.toString("base64")]);

function read(text: string): Body {
  const [key, fingerprint, body] = JSON.parse(text) as [string, string, string];
  return { key, fingerprint, body: Buffer.from(body, "base64") };
}

/**
 * What a derived event answers: of rewards and assessments each session has one, whichever version computed it; all else is known
 * by its id.
 */
function questionOf({ type, meta }: AtlasEvent): string {
  const once = (type === "SessionRewarded" || type === "DriftAssessed") && meta.session_id != null;
  return JSON.stringify(once ? `${type} ${meta.session_id}` : meta.event_id);
}

/** When what an event is about was completed; it happened then, where nothing else is said. */
const timeOf = (event: AtlasEvent): number =>
  "completed_at" in event ? (event.completed_at as number) : event.meta.occurred_at;

/** What a record says, unless another writer put it there, or a revision took its place. */
export const eventOf = ({ fingerprint, body }: Pick<RawRecord, "fingerprint" | "body">) =>
  fingerprint === undefined ? undefined : decodeEvent(fingerprint, body);

/** What was computed for one partition of a topic, in bounded memory. */
export class Computed {
  readonly #lines: SortedLines;
  count = 0;

  constructor(characters: number) {
    this.#lines = new SortedLines({ characters });
  }

  async add(event: Masked, record: Body): Promise<void> {
    this.count += 1;
    await this.#lines.add(`${questionOf(event)}\t1\t${write(record)}`);
  }

  /**
   * What the log lacks of it.
   *
   * @param left what the log has
   */
  async missing(left: AsyncIterable<readonly RawRecord[]>): Promise<Missing> {
    const missing = new Missing();
    for await (const batch of left)
      for (const record of batch) {
        const event = eventOf(record);
        if (event !== undefined && revisionOf(event) === 0) await this.#lines.add(`${questionOf(event)}\t0`);
      }
    let answered = "";
    for await (const line of this.#lines.lines()) {
      const [question, has, body] = line.split("\t") as [string, string, string];
      if (has === "0") answered = question;
      else if (question !== answered) {
        await missing.add(body);
        answered = question;
      }
    }
    return missing;
  }

  close(): Promise<void> {
    return this.#lines.close();
  }
}

/** What the log lacks of one partition. */
export class Missing {
  readonly #lines = new SortedLines();
  count = 0;

  async add(body: string): Promise<void> {
    this.count += 1;
    await this.#lines.add(body);
  }

  async *bodies(): AsyncGenerator<Body> {
    for await (const line of this.#lines.lines()) yield read(line);
  }

  close(): Promise<void> {
    return this.#lines.close();
  }
}

/** Lines of what a partition is to hold, so that sorting puts each source in the order of its sequences. */
async function bySource(
  left: AsyncIterable<readonly RawRecord[]>,
  missing: Missing,
): Promise<AsyncGenerator<string>> {
  const lines = new SortedLines();
  const add = async (record: Body, rank: number): Promise<void> => {
    const event = decodeEvent(record.fingerprint, record.body);
    const { source, sequence } = event.meta;
    const said = `${JSON.stringify(source)}\t${inOrder(sequence)}`;
    await lines.add(`${said}\t${rank}\t${inOrder(timeOf(event))}\t${write(record)}`);
  };
  for await (const batch of left)
    for (const { fingerprint, ...record } of batch)
      if (fingerprint !== undefined) await add({ ...record, fingerprint }, 0);
  for await (const body of missing.bodies()) await add(body, 1);
  return lines.lines();
}

/**
 * What a partition is to hold: what is left of it and what it lacks, each source in the order of its sequences, and sources in the
 * order of what they are about. Nothing of it depends on the order in which the log was written.
 */
export async function contentOf(
  place: PartitionPlace,
  partitions: number,
  left: AsyncIterable<readonly RawRecord[]>,
  missing: Missing,
): Promise<AsyncGenerator<OutgoingRecord[]>> {
  const lines = new SortedLines();
  let [source, sequence, time, body] = ["", "", "", ""];
  for await (const line of await bySource(left, missing)) {
    const [said, at, rank, when, text] = line.split("\t") as [string, string, string, string, string];
    const isSame = said === source && at === sequence;
    // A repetition, which readers drop.
    if (isSame && (rank === "0" || text === body)) continue;
    if (!isSame) body = text;
    time = said === source && time > when ? time : when;
    [source, sequence] = [said, at];
    if (!isSame) await lines.add(`${time}\t${said}\t${at}\t${text}`);
    else {
      const own = underOwnSource(read(text), partitions);
      if (own !== undefined) await lines.add(`${time}\t${own}`);
    }
  }
  return batchesOf(place, lines);
}

async function* batchesOf(place: PartitionPlace, lines: SortedLines): AsyncGenerator<OutgoingRecord[]> {
  let batch: OutgoingRecord[] = [];
  for await (const line of lines.lines()) {
    batch.push({ ...place, ...read(line.slice(line.lastIndexOf("\t") + 1)) });
    if (batch.length < MAX_BATCH_EVENTS) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** A result whose place in its source another one has: it speaks for itself, and nothing else does under that name. */
function underOwnSource(record: Body, partitions: number): string | undefined {
  const event = decodeEvent(record.fingerprint, record.body);
  const meta = { ...event.meta, source: sourceOfRevision(event.meta, 0), sequence: 1 };
  if (meta.source === event.meta.source) return undefined;
  const [own] = toOutgoing([alreadyMasked({ ...event, meta } as AtlasEvent)], partitions);
  return `${JSON.stringify(meta.source)}\t${inOrder(1)}\t${write(own!)}`;
}
