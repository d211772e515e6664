import { expect, onTestFinished, test } from "vitest";
import { AtlasError } from "../../errors/atlas-error.ts";
import type { LogNotice } from "../../log/event-log.ts";
import { guardLogger } from "../../logging/guard-logger.ts";
import { watchLog } from "../../worker/watch-log.ts";
import { WorkerStatus } from "../../worker/worker-status.ts";
import { eventually } from "../eventually.ts";

const notice = (level: LogNotice["level"], message: string): LogNotice => ({
  level,
  error: new AtlasError("ATLAS_LOG_MISCONFIGURED", message),
});

test("what is wrong with the log is told once, and again when it comes back; who is away is waited for", async () => {
  const forgets = notice("broken", "it forgets");
  const looks: (LogNotice[] | Error)[] = [
    [notice("warning", "one copy")],
    [notice("warning", "one copy"), forgets],
    new Error("away"),
    [forgets],
    [],
    [forgets],
  ];
  const told: string[] = [];
  const log = (level: string) => (fields: { code: string }) => void told.push(`${level} ${fields.code}`);
  const port = { debug: () => {}, info: log("info"), warn: log("warn"), error: log("error") };
  const status = new WorkerStatus();
  const found: number[] = [];
  const watch = watchLog(
    {
      check: async () => {
        const next = looks.shift() ?? [];
        if (next instanceof Error) throw next;
        return next;
      },
    },
    {
      status: {
        found: (notices) => {
          status.found(notices);
          found.push(status.broken);
        },
      },
      logger: guardLogger(port),
      everyMs: 1,
    },
  );
  onTestFinished(() => watch.stop());
  await eventually(() => expect(looks).toEqual([]));
  await watch.stop();
  expect(told).toEqual(["warn ATLAS_LOG_UNSAFE", "error ATLAS_LOG_FAULTY", "error ATLAS_LOG_FAULTY"]);
  expect(found.slice(0, 5)).toEqual([0, 1, 1, 0, 1]);
});
