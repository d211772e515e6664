import { afterAll, vi } from "vitest";

// How the tests were started is not how commands were: what they say does not depend on it.
delete process.env["npm_lifecycle_event"];

// Files share a worker, and with it what they load: each leaves the process as it found it.
afterAll(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});
