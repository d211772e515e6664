import type { PGlite } from "@electric-sql/pglite";
import { downReason } from "./wire-messages.ts";

/** PGlite's one session, spoken to in the wire protocol. */
export interface Session {
  /** Runs messages up to and including a query or Sync, and returns what Postgres answers. */
  run(messages: Uint8Array, onDown?: (answer: Buffer) => void): Promise<Buffer[]>;
  inTransaction(): boolean;
}

/**
 * Wraps a PGlite.
 *
 * @param die ends the thread at once. After a PANIC (a full disk while the write-ahead log grows, say) PGlite would
 *   feed the rest of the messages to a program that has ended, for ever.
 */
export function sessionOf(db: PGlite, die: (reason: string) => never): Session {
  return {
    async run(messages, onDown) {
      const answer: Buffer[] = [];
      await db.execProtocolRawStream(messages, {
        syncToFs: false,
        onRawData: (bytes) => {
          // PGlite hands out views of memory that it uses again.
          const copy = Buffer.from(bytes);
          answer.push(copy);
          const reason = downReason(copy);
          if (reason === undefined) return;
          onDown?.(Buffer.concat(answer));
          die(reason);
        },
      });
      return answer;
    },
    inTransaction: () => db.isInTransaction(),
  };
}
