import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AtlasError } from "../../errors/atlas-error.ts";
import { Ledger } from "../../recording/ledger.ts";
import { LedgerQueue } from "../../recording/ledger-queue.ts";
import { Outage } from "../../recording/outage.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

const SILENT = new AtlasError("ATLAS_LOG_UNREACHABLE", "the log does not answer", { retryable: true });
const after = (seconds: number): void => void vi.advanceTimersByTime(seconds * 1000);

test("a log that answers nobody is given up after its limit", () => {
  const outage = new Outage({ retryMs: 30_000 }, () => undefined);
  outage.begin(SILENT, { isPending: true });
  after(29);
  expect(outage.isLong()).toBe(false);
  after(1);
  expect(outage.isLong()).toBe(true);
});

test("one that answers others is only slow: it is waited for, though not for ever", () => {
  let heardAt = 0;
  const outage = new Outage({ retryMs: 30_000 }, () => heardAt);
  outage.begin(SILENT, { isPending: true });
  for (let minute = 1; minute < 5; minute += 1) {
    after(60);
    heardAt = performance.now() - 20_000;
    expect(outage.isLong()).toBe(false);
  }
  after(60);
  heardAt = performance.now();
  expect(outage.isLong()).toBe(true);
});

test("one that refuses appends is away, whatever else it answers", () => {
  const outage = new Outage({ retryMs: 30_000 }, () => performance.now());
  outage.begin(SILENT);
  after(30);
  expect(outage.isLong()).toBe(true);
});

test("each append that is taken begins the limit anew", () => {
  const outage = new Outage({ retryMs: 30_000 }, () => undefined);
  for (let batch = 0; batch < 5; batch += 1) {
    outage.begin(SILENT, { isPending: true });
    after(29);
    expect(outage.isLong()).toBe(false);
    outage.end();
  }
});

test("what waits is known by its session, in order", () => {
  const [a, b] = [new Ledger("a"), new Ledger("b")];
  const queue = new LedgerQueue();
  for (const ledger of [a, a, a, b, a]) queue.push(ledger);
  expect([...queue.distinct()]).toEqual([a, b]);
  expect(queue.take(2)).toEqual([a, a]);
  expect(queue.take(2)).toEqual([a, b]);
  expect(queue.length).toBe(1);
  expect(queue.take(9)).toEqual([a]);
  expect([queue.length, queue.distinct().size]).toEqual([0, 0]);
});
