import { createRequire } from "node:module";

interface RequestQueue {
  pending: unknown[];
  scheduleCheckPendingRequests(): void;
}

const require = createRequire(import.meta.url);

/**
 * kafkajs 2.2.4 sets a timer with a negative delay after every request, also when nothing is waiting to be sent; from
 * version 24 on Node prints a TimeoutNegativeWarning for it. Without anything waiting the timer has no use.
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
  prototype.mended = true;
}
