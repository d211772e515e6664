import { AtlasError, isAtlasError, messageOf } from "../errors/atlas-error.ts";

/** What became of the events of one session: queued, and then appended or lost. */
export class Ledger {
  readonly sessionId: string;
  queued = 0;
  appended = 0;
  lost = 0;
  #reason: unknown;
  #waiters: { until: number; resolve: () => void }[] = [];

  constructor(sessionId: string) {
    this.sessionId = sessionId;
  }

  /** Counts an event that will not reach the log. */
  lose(reason: unknown): void {
    if (this.lost === 0) this.#reason = reason;
    this.lost += 1;
  }

  /** Lets those go on who waited for what is settled now. */
  notify(): void {
    const settled = this.appended + this.lost;
    const ready = this.#waiters.filter(({ until }) => until <= settled);
    this.#waiters = this.#waiters.filter(({ until }) => until > settled);
    for (const { resolve } of ready) resolve();
  }

  /**
   * Resolves when everything queued so far is in the log.
   *
   * @throws AtlasError with the code of what went wrong (ATLAS_SPOOL_FAILED where it had none), saying how many
   *   events were lost
   */
  async durable(): Promise<void> {
    const until = this.queued;
    if (this.appended + this.lost < until) {
      await new Promise<void>((resolve) => this.#waiters.push({ until, resolve }));
    }
    if (this.lost === 0) return;
    const reason = this.#reason;
    throw new AtlasError(
      isAtlasError(reason) ? reason.code : "ATLAS_SPOOL_FAILED",
      `${this.lost} of ${this.queued} events of the session were lost: ${messageOf(reason)}`,
      {
        where: `session ${this.sessionId}`,
        hint: "Run the task again once the log answers; this session stays incomplete.",
        cause: reason,
      },
    );
  }
}
