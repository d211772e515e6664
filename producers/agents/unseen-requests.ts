import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe } from "node:diagnostics_channel";
import type { GuardedLogger } from "../../logging/guard-logger.ts";
import { defaultLogger } from "../../logging/process-warnings.ts";
import type { OpenCalls } from "../../recording/open-calls.ts";

/** Where `fetch` and `node:http` say that they begin a request. */
const CHANNELS = ["undici:request:create", "http.client.request.start"];

const within = new AsyncLocalStorage<UnseenRequests>();
let listening = false;

function listen(): void {
  if (listening) return;
  listening = true;
  for (const channel of CHANNELS) subscribe(channel, () => within.getStore()?.add());
}

/** Counts the HTTP requests that an agent makes by itself in one attempt: those of recorded tools are none. */
export class UnseenRequests {
  readonly #calls: OpenCalls;
  #count = 0;

  constructor(calls: OpenCalls) {
    this.#calls = calls;
  }

  get count(): number {
    return this.#count;
  }

  add(): void {
    if (this.#calls.parent === null) this.#count += 1;
  }

  /** Runs what is counted. */
  watch<T>(work: () => T): T {
    listen();
    return within.run(this, work);
  }
}

const told = new Set<string>();

/** Says once of an agent that what it asks of its model is not recorded. */
export function tellUnseen(agent: string, session: string, logger: GuardedLogger = defaultLogger): void {
  if (told.has(agent)) return;
  told.add(agent);
  logger
    .of("agent")
    .warn(
      { code: "ATLAS_CALLS_UNSEEN", session },
      "the agent made HTTP requests of its own, and none of its model calls is recorded: tokens, cost and what a model was asked are missing; wrap its client with wrapOpenAI or wrapAnthropic, or ask with ctx.model; what is no model goes through ctx.tool",
    );
}
