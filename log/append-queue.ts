import { AtlasError } from "../errors/atlas-error.ts";
import { type RetryOptions, retry } from "../errors/retry.ts";
import { held } from "./held.ts";
import { MAX_BATCH_BYTES, MAX_BATCH_EVENTS } from "./outgoing.ts";

/** Records that wait for their acknowledgement, and who waits for it. */
interface Waiting<R> {
  records: readonly R[];
  /** How many of them are acknowledged. */
  acknowledged: number;
  resolve: () => void;
  reject: (error: AtlasError) => void;
}

/** Where a queue of appends leads. */
export interface AppendTarget<R> {
  /** Human-readable address without credentials. */
  address: string;
  /** Brings one batch into the log; resolves once it is durable. */
  send: (batch: readonly R[]) => Promise<void>;
  /** How a batch is sent again. */
  patience: RetryOptions;
  /** A failure of `send` as an error of this package. */
  errorOf: (failure: unknown) => AtlasError;
}

/**
 * Appends records in the order of the calls, with one batch outstanding at a time: whatever becomes of a batch, nothing
 * that was appended later can be in the log before it. Appends that come while a batch is under way go into the next one
 * together.
 */
export class AppendQueue<R extends { body: Buffer }> {
  private readonly target: AppendTarget<R>;
  private readonly queue: Waiting<R>[] = [];
  private pumping: Promise<void> | undefined;
  private closed = false;

  constructor(target: AppendTarget<R>) {
    this.target = target;
  }

  /**
   * Resolves once all records are durable.
   *
   * @throws AtlasError ATLAS_LOG_CLOSED, and what the target says of a batch that failed (retryable: some records may
   *   be in the log, and appending the same again is safe)
   */
  append(records: readonly R[]): Promise<void> {
    const { address } = this.target;
    if (this.closed)
      return Promise.reject(new AtlasError("ATLAS_LOG_CLOSED", "the log was closed", { where: address }));
    if (records.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.queue.push({ records, acknowledged: 0, resolve, reject });
      this.pumping ??= held(this.pump());
    });
  }

  /** Takes no more, and waits for what was appended. */
  async close(): Promise<void> {
    this.closed = true;
    await this.pumping;
  }

  private async pump(): Promise<void> {
    // Appends of the same moment go into the same batch.
    await Promise.resolve();
    const { send, patience, errorOf } = this.target;
    while (this.queue.length > 0) {
      let batch: readonly R[] = [];
      const sendNext = async (): Promise<void> => {
        batch = this.nextBatch();
        await send(batch);
      };
      try {
        await retry(sendNext, patience);
        this.acknowledge(batch.length);
      } catch (error) {
        this.rejectAll(batch.length, errorOf(error));
      }
    }
    // In the same turn as the last look at the queue: an append between the two would wait for ever.
    this.pumping = undefined;
  }

  private nextBatch(): R[] {
    const batch: R[] = [];
    let bytes = 0;
    for (const { records, acknowledged } of this.queue) {
      for (let index = acknowledged; index < records.length; index += 1) {
        const record = records[index]!;
        bytes += record.body.length;
        if (batch.length > 0 && (batch.length >= MAX_BATCH_EVENTS || bytes > MAX_BATCH_BYTES)) return batch;
        batch.push(record);
      }
    }
    return batch;
  }

  private acknowledge(count: number): void {
    for (let left = count; left > 0; ) {
      const first = this.queue[0]!;
      const taken = Math.min(left, first.records.length - first.acknowledged);
      first.acknowledged += taken;
      left -= taken;
      if (first.acknowledged < first.records.length) return;
      this.queue.shift();
      first.resolve();
    }
  }

  /**
   * Gives up on everything that waits. Were only the oldest given up, later events of the same source would get into
   * the log before it, and readers would take it for a repetition when it is appended again.
   */
  private rejectAll(failed: number, error: AtlasError): void {
    const queue = this.queue.splice(0);
    let before = 0;
    for (const waiting of queue) {
      waiting.reject(before < failed ? error : this.behind(error));
      before += waiting.records.length - waiting.acknowledged;
    }
  }

  private behind(error: AtlasError): AtlasError {
    if (error.retryable) return error;
    return new AtlasError("ATLAS_LOG_UNREACHABLE", "an append before this one failed, and order is kept", {
      where: this.target.address,
      hint: "Mend the cause, then append again.",
      retryable: true,
      cause: error,
    });
  }
}
