import { AtlasError } from "../../errors/atlas-error.ts";

/** How much is answered at a time. */
export interface AdmissionLimits {
  /** Requests. */
  requests: number;
  /** Bytes of all of them. */
  bytes: number;
}

/** Lets requests in while there is room; whoever comes too many is told to come again rather than queued. */
export class Admission {
  readonly #limits: AdmissionLimits;
  #requests = 0;
  #bytes = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  /**
   * Takes a place for a request; disposing it gives the place back.
   *
   * @param bytes how large it is, or may be
   * @throws AtlasError ATLAS_WORKER_BUSY (retryable)
   */
  enter(bytes: number): Disposable {
    const { requests, bytes: most } = this.#limits;
    const full = this.#requests >= requests || (this.#requests > 0 && this.#bytes + bytes > most);
    if (full) {
      throw new AtlasError("ATLAS_WORKER_BUSY", `the worker is answering ${this.#requests} requests`, {
        hint: "Ask again after Retry-After, or send fewer requests at once.",
        retryable: true,
      });
    }
    this.#requests += 1;
    this.#bytes += bytes;
    return {
      [Symbol.dispose]: () => {
        this.#requests -= 1;
        this.#bytes -= bytes;
      },
    };
  }
}
