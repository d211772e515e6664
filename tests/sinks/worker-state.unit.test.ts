import { expect, onTestFinished, test, vi } from "vitest";
import type { EventLog } from "../../log/event-log.ts";
import { stateReader } from "../../sinks/metrics/worker-state.ts";

test("sessions are counted again after 15 s, or after twenty times as long as counting takes", async () => {
  let now = 0;
  let tookMs = 0;
  let counted = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => now);
  onTestFinished(() => clock.mockRestore());
  const query = async (sql: string) => {
    if (sql.includes("from sessions")) {
      counted += 1;
      now += tookMs;
    }
    return { rows: [], rowCount: 0 };
  };
  const look = stateReader({ db: { query } } as unknown as EventLog, () => []);
  const countedAfter = async (ms: number): Promise<number> => {
    now += ms;
    await look();
    return counted;
  };
  expect(await countedAfter(0)).toBe(1);
  expect(await countedAfter(14_000)).toBe(1);
  tookMs = 2000;
  expect(await countedAfter(1000)).toBe(2);
  expect(await countedAfter(39_000)).toBe(2);
  expect(await countedAfter(1000)).toBe(3);
});
