import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { AtlasError } from "../../errors/atlas-error.ts";
import { backoffMs, retry } from "../../errors/retry.ts";
import { retryAfterMs } from "../../errors/retry-after.ts";

const away = (retryAfterMs?: number): AtlasError =>
  new AtlasError("ATLAS_LOG_UNREACHABLE", "no answer", { retryable: true, retryAfterMs });

const QUICK = { firstMs: 1, longestMs: 2 };

/** Work that fails with these errors, one after the other, and then succeeds. */
function failing(...errors: readonly unknown[]): () => Promise<number> {
  let tried = 0;
  return async () => {
    tried += 1;
    if (tried <= errors.length) throw errors[tried - 1];
    return tried;
  };
}

test("a pause is any time up to a limit that doubles with each failure, up to the longest", () => {
  const curve = { firstMs: 1000, longestMs: 3_600_000 };
  const all = [1, 2, 3, 12, 13, 5000].map((failures) => backoffMs(curve, failures, () => 1));
  expect(all).toEqual([1000, 2000, 4000, 2_048_000, 3_600_000, 3_600_000]);
  expect(backoffMs(curve, 4, () => 0)).toBe(0);
  expect(backoffMs(curve, 4, () => 0.25)).toBe(2000);
  const two = [backoffMs(curve, 10), backoffMs(curve, 10)];
  expect(two[0]).not.toBe(two[1]);
});

test("what passes is tried until it succeeds, and every error is told", async () => {
  const told: unknown[] = [];
  const error = away();
  const result = retry(failing(error, error), { ...QUICK, onRetry: (each) => told.push(each) });
  expect(await result).toBe(3);
  expect(told).toEqual([error, error, undefined]);
  told.length = 0;
  expect(await retry(failing(), { ...QUICK, onRetry: (each) => told.push(each) })).toBe(1);
  expect(told).toEqual([]);
});

test("what does not pass is thrown at once; which errors pass can be said", async () => {
  const broken = new Error("broken");
  await expect(retry(failing(broken), QUICK)).rejects.toBe(broken);
  expect(await retry(failing(broken), { ...QUICK, passes: (error) => error === broken })).toBe(2);
  const refused = new AtlasError("ATLAS_LOG_MISCONFIGURED", "refused");
  await expect(retry(failing(refused), QUICK)).rejects.toBe(refused);
});

test("tries and time are limits: the last error is thrown", async () => {
  const last = away();
  await expect(retry(failing(away(), away(), last), { ...QUICK, tries: 3 })).rejects.toBe(last);
  expect(await retry(failing(away(), away()), { ...QUICK, tries: 3 })).toBe(3);
  const hour = { firstMs: 3_600_000, longestMs: 3_600_000, random: () => 0.9, forMs: 60_000 };
  await expect(retry(failing(last), hour)).rejects.toBe(last);
});

test("an error that says how long to wait is waited out for so long, a minute at most", async () => {
  const hour = { firstMs: 3_600_000, longestMs: 3_600_000 };
  expect(await retry(failing(away(0), away(1)), hour)).toBe(3);
  const waited: number[] = [];
  const start = performance.now();
  await retry(failing(away(40)), { ...QUICK, onRetry: () => waited.push(performance.now() - start) });
  expect(waited[1]! - waited[0]!).toBeGreaterThanOrEqual(39);
  const long = away(3_600_000);
  const signal = AbortSignal.timeout(20);
  await expect(retry(failing(long), { ...QUICK, forMs: 61_000, signal })).rejects.toMatchObject({
    name: "TimeoutError",
  });
});

test("a signal ends a pause with its reason, and no try begins once it has aborted", async () => {
  const stop = new AbortController();
  const reason = new Error("stopped");
  const hour = { firstMs: 3_600_000, longestMs: 3_600_000, random: () => 1, signal: stop.signal };
  let tried = 0;
  const work = async (): Promise<never> => {
    tried += 1;
    throw away();
  };
  const pending = retry(work, { ...hour, onRetry: () => void setImmediate(() => stop.abort(reason)) });
  await expect(pending).rejects.toBe(reason);
  await expect(retry(work, hour)).rejects.toBe(reason);
  expect(tried).toBe(1);
});

test("a clock that is set changes nothing", async () => {
  const now = Date.now;
  let set = 0;
  Date.now = () => now() + set;
  try {
    const work = failing(away(), away());
    const jumping = (): Promise<number> => {
      set += 86_400_000;
      return work();
    };
    expect(await retry(jumping, { ...QUICK, forMs: 60_000 })).toBe(3);
  } finally {
    Date.now = now;
  }
});

test("Retry-After is milliseconds, seconds or a date; what cannot be read asks for nothing", () => {
  const now = Date.UTC(2025, 0, 1);
  const of = (headers: Record<string, string>) => retryAfterMs((name) => headers[name], now);
  expect(of({ "retry-after": "120" })).toBe(120_000);
  expect(of({ "retry-after": " 0.5 " })).toBe(500);
  expect(of({ "retry-after": "Wed, 01 Jan 2025 00:01:00 GMT" })).toBe(60_000);
  expect(of({ "retry-after": "Wed, 01 Jan 2020 00:00:00 GMT" })).toBe(0);
  expect(of({ "retry-after": "9", "retry-after-ms": "5" })).toBe(5);
  expect(of({ "retry-after": "9", "retry-after-ms": "soon" })).toBe(9000);
  for (const nothing of ["", "soon", "1e3", "Infinity", "NaN"])
    expect(of({ "retry-after": nothing })).toBeUndefined();
  expect(of({})).toBeUndefined();
});

test("no other file has a curve of pauses of its own, or reads Retry-After", () => {
  const root = join(import.meta.dirname, "../..");
  const files = globSync("*/**/*.ts", {
    cwd: root,
    exclude: (name) => /^(node_modules|dist|tests|bench|scripts|examples|\..*)$/.test(name),
  });
  expect(files.length).toBeGreaterThan(300);
  const own = files.filter((file) => {
    const text = readFileSync(join(root, file), "utf8");
    return /["']retry-after|\* 2 \*\* |\bpause\w* \*=? [\d.]+/i.test(text);
  });
  // Who waits for a consumer looks less and less often, while nothing fails; a worker asks others to wait.
  expect(own.sort()).toEqual([
    "errors/retry-after.ts",
    "errors/retry.ts",
    "log/runner/caught-up.ts",
    "worker/score/score-route.ts",
  ]);
});
