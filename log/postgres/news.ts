import { randomUUID } from "node:crypto";
import type { Database, Listener } from "../../database/database.ts";
import type { Wake } from "./wake.ts";

const CHANNEL = "atlas_log";
/** The payload that tells of members. */
const MEMBERS = "members";
/** Appends of the same moment are told together. */
const TOGETHER_MS = 5;
/** How long who has nothing to do waits before it looks again for what other processes appended. */
const POLL_MS = 100;
/** And where it is told: for what nobody could tell, because its process died first. */
const TOLD_POLL_MS = 3000;

/**
 * Tells other processes that something was appended, and hears it from them, so that nobody has to ask again and again.
 * The telling is a statement of its own: as part of an append it would make the commits of all of them wait for each other.
 */
export class News {
  private readonly db: Database;
  private readonly wake: Wake;
  /** Tells what is its own. */
  private readonly name = randomUUID();
  /** Counts what was told of members that came and went. */
  members = 0;
  /** When the last of them was heard, by this process's own clock. */
  membersAt = Number.NEGATIVE_INFINITY;
  private listener: Listener | undefined;
  private telling: NodeJS.Timeout | undefined;

  constructor(db: Database, wake: Wake) {
    this.db = db;
    this.wake = wake;
  }

  /** Something was appended here. */
  tell(): void {
    this.wake.notify();
    this.telling ??= setTimeout(() => {
      this.telling = undefined;
      // Who is not told looks by itself, later.
      this.db.query("select pg_notify($1, $2)", [CHANNEL, this.name]).catch(() => undefined);
    }, TOGETHER_MS).unref();
  }

  /** A member came or went: the others share what there is anew. */
  tellMembers(): void {
    this.db.query("select pg_notify($1, $2)", [CHANNEL, MEMBERS]).catch(() => undefined);
    this.membersChanged();
  }

  /** How often who waits for news has to look by itself; from the first question on it is told as well. */
  pollMs(): number {
    this.listener ??= this.db.listen?.(CHANNEL, (payload) => {
      if (payload === MEMBERS) this.membersChanged();
      else if (payload !== this.name) this.wake.notify();
    });
    return this.listener?.hears === true ? TOLD_POLL_MS : POLL_MS;
  }

  private membersChanged(): void {
    this.members += 1;
    this.membersAt = performance.now();
    this.wake.notify();
  }

  close(): void {
    clearTimeout(this.telling);
    this.listener?.close();
  }
}
