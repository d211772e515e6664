import { expect, test } from "vitest";
import type { EventLog, LogRecord } from "../../log/event-log.ts";
import { knownSequences } from "../../log/runner/known-sequences.ts";
import { judgedSession } from "../app/judged.ts";

test("what stands behind the checkpoint is read once, however often an import asks", async () => {
  const [one, two] = [judgedSession(1, { only: 1 }, "rules"), judgedSession(2, { only: 1 }, "rules")];
  const reads: unknown[] = [];
  const log = {
    partitions: 1,
    db: undefined,
    async *read(_: unknown, range: unknown) {
      reads.push(range);
      yield [...one, ...two.slice(0, 2)].map((event) => ({ event }) as LogRecord);
    },
  } as unknown as EventLog;
  const known = knownSequences(log, "read-models");
  const [first, second] = [one[0]!.meta.source, two[0]!.meta.source];
  expect(await known([first, "another"])).toEqual(new Map([[first, one.length]]));
  expect(await known([second])).toEqual(new Map([[second, 2]]));
  expect(reads).toHaveLength(1);
});
