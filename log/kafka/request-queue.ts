import { createRequire } from "node:module";

interface RequestQueue {
  pending: unknown[];
  requestTimeoutIntervalId: NodeJS.Timeout | null;
  scheduleCheckPendingRequests(): void;
  scheduleRequestTimeoutCheck(): void;
}

const require = createRequire(import.meta.url);

/**
 * kafkajs 2.2.4 sets a timer with a negative delay after every request, also when nothing is waiting to be sent; from
 * version 24 on Node prints a TimeoutNegativeWarning for it. Without anything waiting the timer has no use. And every
 * open connection has a timer that keeps the process alive, also when no answer is waited for.
 */
export function mendRequestQueue(): void {
  const { prototype } = require("kafkajs/src/network/requestQueue") as {
    prototype: RequestQueue & { mended?: true };
  };
  if (prototype.mended === true) return;
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
    if (this.pending.length > 0) schedule.call(this);
  };
  const check = prototype.scheduleRequestTimeoutCheck;
  prototype.scheduleRequestTimeoutCheck = function (this: RequestQueue): void {
    check.call(this);
    this.requestTimeoutIntervalId?.unref();
  };
  prototype.mended = true;
}
