import { AsyncLocalStorage } from "node:async_hooks";
import { AtlasError } from "../errors/atlas-error.ts";
import type { Uuid } from "../schemas/generated/events.ts";

const within = new AsyncLocalStorage<{ calls: OpenCalls; callId: Uuid }>();

/**
 * The model and tool calls of one attempt that have begun and not ended. Every call ends exactly once: by itself, or
 * when the attempt does.
 */
export class OpenCalls {
  readonly #open = new Map<Uuid, (error: string) => void>();
  #closed = false;

  /** The call that the present code runs within, if it is one of these. */
  get parent(): Uuid | null {
    const store = within.getStore();
    return store?.calls === this ? store.callId : null;
  }

  /** @throws AtlasError ATLAS_AGENT_FAILED once the attempt is over */
  check(): void {
    if (!this.#closed) return;
    throw new AtlasError("ATLAS_AGENT_FAILED", "the agent made a call after its attempt was over", {
      hint: "Await every call before the agent answers.",
    });
  }

  /** @param end records the end of a call that did not end by itself */
  begin(callId: Uuid, end: (error: string) => void): void {
    this.#open.set(callId, end);
  }

  /** Says whether the caller is the one to record the end of this call. */
  end(callId: Uuid): boolean {
    return this.#open.delete(callId);
  }

  /** Runs code so that calls made in it have this one as their parent. */
  inside<T>(callId: Uuid, work: () => T): T {
    return within.run({ calls: this, callId }, work);
  }

  /** Ends what is still open, the latest first, and refuses further calls. */
  close(error: string): void {
    this.#closed = true;
    for (const end of [...this.#open.values()].reverse()) end(error);
    this.#open.clear();
  }
}
