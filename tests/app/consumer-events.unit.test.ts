import { expect, test } from "vitest";
import { consumerEvents, tellStop } from "../../app/consumer-events.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import type { RawRecord } from "../../log/event-log.ts";
import { guardLogger } from "../../logging/guard-logger.ts";
import { lineLogger } from "../../logging/line-logger.ts";

function listening() {
  const lines: string[] = [];
  const port = lineLogger({ format: "text", level: "debug", write: (line) => lines.push(line) });
  return { lines, logger: guardLogger(port) };
}

const away = new AtlasError("ATLAS_DATABASE_UNREACHABLE", "no answer", { retryable: true });
const AWAY = "drift: waits and tries again: ATLAS_DATABASE_UNREACHABLE: no answer";

test("a wait is told when it begins, once more as a warning when it lasts, and when it is over", () => {
  const { lines, logger } = listening();
  const heard: unknown[] = [];
  const { onRetry } = consumerEvents("drift", {
    logger,
    onRetry: (group, error) => heard.push([group, error]),
  });
  for (let tries = 0; tries < 50; tries += 1) onRetry(away);
  onRetry(undefined);
  onRetry(undefined);
  onRetry(new Error("Connection terminated unexpectedly"));
  expect(lines).toEqual([
    AWAY,
    `warning: ${AWAY}`,
    "drift: goes on (tries 50)",
    "drift: waits and tries again: ATLAS_DATABASE_UNREACHABLE: Connection terminated unexpectedly",
  ]);
  expect(heard).toHaveLength(53);
});

test("that somebody has to upgrade is a warning at once, also in the middle of a wait, and only once", () => {
  const { lines, logger } = listening();
  const { onRetry } = consumerEvents("drift", { logger });
  const outdated = new AtlasError("ATLAS_PROCESSOR_OUTDATED", "state of version 1", { hint: "Rebuild." });
  onRetry(away);
  for (let tries = 0; tries < 50; tries += 1) onRetry(outdated);
  expect(lines).toEqual([
    AWAY,
    "warning: drift: waits and tries again: ATLAS_PROCESSOR_OUTDATED: state of version 1. Rebuild.",
  ]);
});

test("a record that is set aside is told with its place, and without what it holds", () => {
  const { lines, logger } = listening();
  const { onDeadLetter } = consumerEvents("review", { logger });
  const record = { topic: "atlas.decisions", partition: 2, offset: 9, key: "buy milk" } as RawRecord;
  onDeadLetter(record, new Error("no task “buy milk”"));
  expect(lines).toEqual([
    expect.stringMatching(
      /^error: review: set a record aside \(topic atlas\.decisions, partition 2, offset 9\): Error \(.*\)$/,
    ),
  ]);
  expect(lines.join()).not.toContain("milk");
});

test("a consumer that stops for good is told", async () => {
  const { lines, logger } = listening();
  const done = Promise.reject(new AtlasError("ATLAS_LOG_REPLACED", "the log was replaced"));
  tellStop({ group: "drift", assignments: [], done, stop: async () => undefined }, logger);
  await done.catch(() => undefined);
  expect(lines).toEqual(["error: drift: stopped: ATLAS_LOG_REPLACED: the log was replaced"]);
});
