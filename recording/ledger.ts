import { AtlasError, isAtlasError, messageOf } from "../errors/atlas-error.ts";
import type { GuardedLogger } from "../logging/guard-logger.ts";
import { defaultLogger } from "../logging/process-warnings.ts";

interface Waiter {
  until: number;
  resolve: () => void;
  reject: (error: AtlasError) => void;
}

/** What became of the events of one session: queued, perhaps spooled, and then appended or lost. */
export class Ledger {
  readonly sessionId: string;
  readonly #signal: AbortSignal | undefined;
  readonly #logger: GuardedLogger;
  queued = 0;
  /** Events that wait on the disk. */
  spooled = 0;
  appended = 0;
  lost = 0;
  #reason: unknown;
  #waitingGivenUp: { path: string; reason: unknown } | undefined;
  #waiters: Waiter[] = [];

  /**
   * @param signal aborts when the session is cancelled: then nobody waits for a log that is away
   * @param logger told once when the session loses events
   */
  constructor(sessionId: string, signal?: AbortSignal, logger: GuardedLogger = defaultLogger) {
    this.sessionId = sessionId;
    this.#logger = logger;
    this.#signal = signal;
  }

  get cancelled(): boolean {
    return this.#signal?.aborted === true;
  }

  get #settled(): number {
    return this.appended + this.lost;
  }

  /** Counts an event that will not reach the log. */
  lose(reason: unknown): void {
    if (this.lost === 0) {
      this.#reason = reason;
      const entry = { code: "ATLAS_EVENTS_LOST", session: this.sessionId, err: reason } as const;
      this.#logger.of("recorder").error(entry, "events of a session are lost");
    }
    this.lost += 1;
  }

  /** Lets those go on who waited for what is settled now. */
  notify(): void {
    if (this.spooled === 0) this.#waitingGivenUp = undefined;
    const ready = this.#waiters.filter(({ until }) => until <= this.#settled);
    this.#waiters = this.#waiters.filter(({ until }) => until > this.#settled);
    for (const { resolve } of ready) resolve();
  }

  /** Says that the log is back: what is in the spool is waited for again. */
  hope(): void {
    this.#waitingGivenUp = undefined;
  }

  /** Says that the log stays away: nobody waits longer for what is in the spool. */
  giveUpWaiting(path: string, reason: unknown): void {
    this.#waitingGivenUp = { path, reason };
    const waiting = this.#waiters;
    this.#waiters = [];
    for (const { reject } of waiting) reject(this.#spooledError());
  }

  /**
   * Resolves when everything queued so far is in the log.
   *
   * @throws AtlasError ATLAS_SPOOLED (retryable: call it again) when the log stays away and events wait in the spool;
   *   with the code of what went wrong (ATLAS_SPOOL_FAILED where it had none) when events were lost, saying how many
   */
  async durable(): Promise<void> {
    const until = this.queued;
    if (this.#settled < until) {
      if (this.#waitingGivenUp !== undefined && this.spooled >= until - this.#settled)
        throw this.#spooledError();
      await new Promise<void>((resolve, reject) => this.#waiters.push({ until, resolve, reject }));
    }
    if (this.lost > 0) throw this.#lostError();
  }

  #lostError(): AtlasError {
    const reason = this.#reason;
    return new AtlasError(
      isAtlasError(reason) ? reason.code : "ATLAS_SPOOL_FAILED",
      `${this.lost} of ${this.queued} events of the session were lost: ${messageOf(reason)}`,
      {
        where: `session ${this.sessionId}`,
        hint: "Run the task again once the log answers; this session stays incomplete.",
        cause: reason,
      },
    );
  }

  #spooledError(): AtlasError {
    if (this.lost > 0) return this.#lostError();
    const { path, reason } = this.#waitingGivenUp!;
    return new AtlasError(
      "ATLAS_SPOOLED",
      `${this.spooled} of ${this.queued} events of the session wait in the spool: ${messageOf(reason)}`,
      {
        where: path,
        hint: "Run `atlas log flush` once the log answers; the next run appends them too.",
        retryable: true,
        cause: reason,
      },
    );
  }
}
