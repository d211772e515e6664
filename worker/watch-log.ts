import { asAtlasError } from "../errors/atlas-error.ts";
import type { EventLog, LogNotice } from "../log/event-log.ts";
import { poll } from "../log/runner/poll.ts";
import type { GuardedLogger } from "../logging/guard-logger.ts";
import type { WorkerStatus } from "./worker-status.ts";

/** How a log is watched. */
export interface WatchOptions {
  status: Pick<WorkerStatus, "found">;
  logger: GuardedLogger;
  /** Milliseconds between looks; a minute unless told. */
  everyMs?: number;
}

/** Looks after a log until it is stopped. */
export interface LogWatch {
  stop(): Promise<void>;
}

const EVERY_MS = 60_000;

/**
 * Looks whether the log still is what it was made as, again and again: settings are changed, topics shortened and
 * partitions added while workers run. What is new is logged.
 */
export function watchLog(log: Pick<EventLog, "check">, options: WatchOptions): LogWatch {
  const { status, logger, everyMs = EVERY_MS } = options;
  const says = logger.of("log");
  const stopping = new AbortController();
  let known = new Set<string>();

  const tell = ({ level, error }: LogNotice): void => {
    if (level === "broken")
      says.error({ code: "ATLAS_LOG_FAULTY", err: error }, "the log is not whole, or will not be");
    else says.warn({ code: "ATLAS_LOG_UNSAFE", err: error }, "the log could be safer");
  };
  const look = async (): Promise<void> => {
    const notices = await log.check();
    status.found(notices);
    for (const notice of notices) if (!known.has(notice.error.message)) tell(notice);
    known = new Set(notices.map(({ error }) => error.message));
  };
  const done = poll(look, {
    name: "log",
    everyMs,
    longestMs: EVERY_MS,
    signal: stopping.signal,
    // A log that does not answer is told of by whoever needs it.
    onError: (error) => says.debug({ code: "ATLAS_LOG_UNSEEN", err: asAtlasError(error) }, "not looked at"),
  });
  return {
    async stop() {
      stopping.abort();
      await done;
    },
  };
}
