import { constants, openSync } from "node:fs";
import { Socket } from "node:net";

/** Reads a pipe to its end, without a thread that waits for a writer. */
export const readerOf = (path: string): Socket =>
  new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), writable: false });
