import type { Readable } from "node:stream";
import type { Fill } from "./byte-window.ts";

/** Fills a buffer from a stream, chunk by chunk. */
export function fromStream(stream: Readable): Fill {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let rest: Buffer = Buffer.alloc(0);
  return async (into, at, length) => {
    while (rest.length === 0) {
      const next = await chunks.next();
      if (next.done === true) return 0;
      rest = next.value;
    }
    const copied = rest.copy(into, at, 0, length);
    rest = rest.subarray(copied);
    return copied;
  };
}

/** All bytes that there are, or undefined where they are more than a limit. */
export async function bytesOf(fill: Fill, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(256 * 1024);
    const read = await fill(chunk, 0, chunk.length);
    if (read === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, read));
    length += read;
    if (length > limit) return undefined;
  }
}
