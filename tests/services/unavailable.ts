/**
 * A service that cannot be had on this machine: nothing to start it with, or its download failed. Suites that need
 * it are skipped, except in CI. A service that is there but does not start is an ordinary error instead.
 */
export class ServiceUnavailable extends Error {
  override readonly name = "ServiceUnavailable";
}
