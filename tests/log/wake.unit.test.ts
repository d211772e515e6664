import { expect, test } from "vitest";
import { Wake } from "../../log/postgres/wake.ts";

const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;

test("a look that finds nothing leaves nothing behind, however often one looks", async () => {
  const wake = new Wake();
  for (let look = 1; look <= 200; look += 1) {
    const over = wake.after(wake.count, 1);
    expect(wake.waiters).toBe(1);
    await over;
  }
  expect(wake.waiters).toBe(0);
});

test("a notification wakes everybody who waits, and stops their timers", async () => {
  const wake = new Wake();
  const before = timers();
  const waiting = Array.from({ length: 5 }, () => wake.after(wake.count, 3_600_000));
  expect(wake.waiters).toBe(5);
  wake.notify();
  await Promise.all(waiting);
  expect(wake.waiters).toBe(0);
  expect(timers()).toBe(before);
});

test("what was notified since one looked is not waited for", async () => {
  const wake = new Wake();
  const seen = wake.count;
  wake.notify();
  await wake.after(seen, 3_600_000);
  expect(wake.waiters).toBe(0);
});
