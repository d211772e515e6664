import { AtlasError, messageOf } from "../../errors/atlas-error.ts";
import { MAX_BATCH_BYTES, MAX_BATCH_EVENTS, toOutgoing } from "../../log/outgoing.ts";
import { decodeEvent } from "../../schemas/codec.ts";
import { alreadyMasked, type Masked } from "../../schemas/masked.ts";
import { isFaultOfEvent } from "../append-sound.ts";
import { SpoolFile } from "./spool-file.ts";
import type { SpoolBatch } from "./spool-reader.ts";
import type { SpoolRecord } from "./spool-record.ts";

/** Where the spool is, and for which log. */
export interface SpoolOptions {
  /** Folder of the spool files. */
  folder: string;
  /** The id of the log that the events are for. */
  logId: string;
}

const LIMITS = { events: MAX_BATCH_EVENTS, bytes: MAX_BATCH_BYTES };

/** Keeps events on the disk while the log does not answer: encoded, in order. */
export class Spool {
  readonly #options: SpoolOptions;
  #file: SpoolFile | undefined;
  #batch: SpoolBatch | undefined;

  constructor(options: SpoolOptions) {
    this.#options = options;
  }

  /** The file where events wait, or the folder as long as there is none. */
  get path(): string {
    return this.#file?.path ?? this.#options.folder;
  }

  /**
   * Adds events, all or none of them but those that no log would take, and resolves when they are on the disk.
   *
   * @returns the events that no log would take, each with the reason
   * @throws AtlasError ATLAS_SPOOL_FAILED
   */
  async add(events: readonly Masked[]): Promise<Map<Masked, AtlasError>> {
    const refused = new Map<Masked, AtlasError>();
    const records: SpoolRecord[] = [];
    for (const event of events) {
      try {
        const [outgoing] = toOutgoing([event], 1);
        records.push(outgoing!);
      } catch (error) {
        if (!isFaultOfEvent(error)) throw error;
        refused.set(event, error);
      }
    }
    try {
      this.#file ??= await SpoolFile.create(this.#options.folder, this.#options.logId);
      await this.#file.add(records);
    } catch (error) {
      const message = `the spool cannot be written: ${messageOf(error)}`;
      throw new AtlasError("ATLAS_SPOOL_FAILED", message, {
        where: this.path,
        hint: "Free some space, or let spool.path name another folder.",
        cause: error,
      });
    }
    return refused;
  }

  /** The oldest events that were not taken; none when all were. */
  async next(): Promise<Masked[]> {
    if (this.#file === undefined) return [];
    this.#batch = await this.#file.next(LIMITS);
    return this.#batch.records.map(({ fingerprint, body }) => alreadyMasked(decodeEvent(fingerprint, body)));
  }

  /** Says that what `next` gave need not be kept. */
  take(): void {
    if (this.#batch !== undefined) this.#file?.take(this.#batch);
    this.#batch = undefined;
  }

  /** Closes the file: it goes where all was taken, and else stays for the next process. */
  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#batch = undefined;
    await file?.close();
  }
}
