import type { Check } from "./check.ts";
import { BANDS, bandsOf, jaccard, shinglesOf } from "./min-hash.ts";
import type { Again } from "./read-dataset.ts";
import { type QualityRecord, saidIn } from "./record.ts";

const ALIKE = 0.8;
/** With so many records of a band another one is compared. */
const MOST_COMPARED = 64;
/** So many numbers of records that were read again are kept. */
const MOST_KEPT = 4 * 1024 * 1024;

/** What is learned, and what came before it; the system's words are those of many records. */
const textOf = (record: QualityRecord): string =>
  saidIn(record)
    .filter(({ role }) => role !== "system")
    .flatMap(({ content, calls }) => [content, ...calls.map(({ name, text }) => `${name} ${text}`)])
    .join("\n");

type Entry = Again & Pick<QualityRecord, "group">;

/** Turns of one session, and rollouts of one task, are alike: that is what they are for, within one part. */
const belong = (a: Entry, b: Entry): boolean =>
  a.part === b.part &&
  ((a.place.session !== null && a.place.session === b.place.session) ||
    (a.group !== null && a.group === b.group));

/** Numbers of records that were read again, the last ones. */
class Kept {
  readonly #again: (record: Again) => Promise<QualityRecord>;
  readonly #sets = new Map<Entry, Uint32Array>();
  #size = 0;

  constructor(again: (record: Again) => Promise<QualityRecord>) {
    this.#again = again;
  }

  /** Those that are in memory. */
  get(entry: Entry): Uint32Array | undefined {
    return this.#sets.get(entry);
  }

  async read(entry: Entry): Promise<Uint32Array> {
    const set = shinglesOf(textOf(await this.#again(entry)));
    this.#sets.set(entry, set);
    this.#size += set.length;
    for (const [oldest, numbers] of this.#sets) {
      if (this.#size <= MOST_KEPT || oldest === entry) break;
      this.#sets.delete(oldest);
      this.#size -= numbers.length;
    }
    return set;
  }
}

/** Numbers of bands, so many for each record. */
class Bands {
  #numbers = new Uint32Array(BANDS * 1024);
  #count = 0;

  add(bands: Uint32Array): void {
    if ((this.#count + 1) * BANDS > this.#numbers.length) {
      const larger = new Uint32Array(this.#numbers.length * 2);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers.set(bands, this.#count * BANDS);
    this.#count += 1;
  }

  /** Whether two records have the number of a band before this one in common. */
  haveMet(a: number, b: number, band: number): boolean {
    for (let before = 0; before < band; before += 1)
      if (this.#numbers[a * BANDS + before] === this.#numbers[b * BANDS + before]) return true;
    return false;
  }

  /** Records that have the number of a band in common, in their order. */
  *shared(band: number): Generator<number[]> {
    const first = new Map<number, number>();
    const several = new Map<number, number[]>();
    for (let index = 0; index < this.#count; index += 1) {
      const number = this.#numbers[index * BANDS + band]!;
      const before = first.get(number);
      if (before === undefined) first.set(number, index);
      else {
        const list = several.get(number);
        if (list === undefined) several.set(number, [before, index]);
        else list.push(index);
      }
    }
    yield* several.values();
  }
}

/**
 * Hardly any record repeats another one: the share of records of a part that are alike to an earlier one, or to one of
 * another part, in the part that has most of them. Candidates come from a MinHash of runs of five words, and are
 * compared exactly. Memory grows with the number of records, and not with their length.
 *
 * @param again reads a record once more
 */
export function nearDuplicates(again: (record: Again) => Promise<QualityRecord>): Check {
  const entries: Entry[] = [];
  const bands = new Bands();
  const inParts = new Map<string | null, { records: number; alike: number }>();
  const alike = new Map<number, number>();
  const cutShort = new Set<number>();
  let across = 0;

  const mark = (index: number, other: number): void => {
    if (alike.has(index)) return;
    alike.set(index, other);
    inParts.get(entries[index]!.part)!.alike += 1;
  };

  async function compare(list: readonly number[], band: number, kept: Kept): Promise<void> {
    const distinct: number[] = [];
    for (const index of list) {
      if ((alike.get(index) ?? index) < index) continue;
      const entry = entries[index]!;
      let isNew = true;
      for (const other of distinct) {
        const before = entries[other]!;
        if (belong(before, entry) || bands.haveMet(index, other, band)) continue;
        const set = kept.get(entry) ?? (await kept.read(entry));
        if (jaccard(kept.get(before) ?? (await kept.read(before)), set) < ALIKE) continue;
        mark(index, other);
        if (before.part !== entry.part) {
          across += 1;
          mark(other, index);
        }
        isNew = false;
        break;
      }
      if (!isNew) continue;
      if (distinct.length < MOST_COMPARED) distinct.push(index);
      else cutShort.add(index);
    }
  }

  function noteOf(): string | undefined {
    const notes = [
      ...(across > 0 ? [`${across} repeat records of another part`] : []),
      ...(cutShort.size > 0
        ? [
            `${cutShort.size} records are somewhat like more than ${MOST_COMPARED} others, and were not held against all`,
          ]
        : []),
    ];
    return notes.length === 0 ? undefined : notes.join(", ");
  }

  return {
    read(record) {
      const { place, part, bytes, group } = record;
      const shingles = shinglesOf(textOf(record));
      const count = inParts.get(part) ?? { records: 0, alike: 0 };
      inParts.set(part, { ...count, records: count.records + 1 });
      if (shingles.length === 0) return;
      entries.push({ place, part, bytes, group });
      bands.add(bandsOf(shingles));
    },
    async end(report) {
      const kept = new Kept(again);
      for (let band = 0; band < BANDS; band += 1)
        for (const list of bands.shared(band)) await compare(list, band, kept);
      for (const index of [...alike.keys()].sort((a, b) => a - b)) {
        const { file, line } = entries[alike.get(index)!]!.place;
        report(entries[index]!.place, `nearly the same as ${file}:${line}`);
      }
      const shares = [...inParts.values()].map(({ records, alike: some }) => some / records);
      const value = shares.length === 0 ? null : shares.reduce((most, share) => Math.max(most, share), 0);
      return { value, note: noteOf() };
    },
  };
}
