import { afterAll, vi } from "vitest";

// Files share a worker, and with it what they load: each leaves the process as it found it.
afterAll(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});
