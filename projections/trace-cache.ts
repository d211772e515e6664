import type { Uuid } from "../schemas/generated/events.ts";
import type { StoredTrace } from "./stored-events.ts";

/** What an event takes in memory besides its text, roughly. */
const EVENT_BYTES = 500;

const bytesOf = ({ size, trace }: StoredTrace): number => 2 * size + EVENT_BYTES * trace.events.length;

/**
 * Traces of sessions that events came for lately, up to a number of bytes. It only saves reading: whoever takes one
 * out has to make sure that it holds what the database holds.
 */
export class TraceCache {
  private readonly limit: number;
  private readonly entries = new Map<Uuid, { state: StoredTrace; partition: number; bytes: number }>();
  private bytes = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Takes a trace out: it comes back with {@link put}, or is forgotten. */
  take(session: Uuid): StoredTrace | undefined {
    const entry = this.entries.get(session);
    if (entry === undefined) return undefined;
    this.entries.delete(session);
    this.bytes -= entry.bytes;
    return entry.state;
  }

  /**
   * Keeps a trace, and forgets those not used for longest where there is no room. The latest one stays as long as its session
   * goes on, however large: read again for each batch, it would cost the square of its length, and as much memory.
   */
  put(state: StoredTrace, partition: number): void {
    this.take(state.trace.session_id);
    const bytes = bytesOf(state);
    if (bytes > this.limit && (state.trace.judged !== null || this.limit === 0)) return;
    this.entries.set(state.trace.session_id, { state, partition, bytes });
    this.bytes += bytes;
    for (const session of this.entries.keys()) {
      if (this.bytes <= this.limit || this.entries.size === 1) return;
      this.take(session);
    }
  }

  /** Forgets what belongs to an assignment. */
  forget(partition: number): void {
    for (const [session, entry] of this.entries) if (entry.partition === partition) this.take(session);
  }
}
