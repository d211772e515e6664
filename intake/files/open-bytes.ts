import { Readable, Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import type { Fill } from "./byte-window.ts";
import { fromStream } from "./fill.ts";
import { type Encoding, encodingOf, HEAD_BYTES } from "./foreign-bytes.ts";

/** A file's bytes as UTF-8, unpacked; or that it holds other files; or why they cannot be read as text. */
export type OpenBytes = { fill: Fill } | { archive: "zip" } | { reason: string };

/** Decodes UTF-16; half a character at the end of the file becomes U+FFFD. */
function utf16(encoding: "utf-16le" | "utf-16be"): Transform {
  const decoder = new TextDecoder(encoding);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, decoder.decode(chunk, { stream: true }));
    },
    flush(done) {
      done(null, decoder.decode());
    },
  });
}

const DECODERS: Record<Exclude<Encoding, "text" | "zip">, () => Transform> = {
  gzip: createGunzip,
  zstd: createZstdDecompress,
  "utf-16le": () => utf16("utf-16le"),
  "utf-16be": () => utf16("utf-16be"),
};

/** Reads the first bytes, which a pipe may hand over one at a time. */
async function headOf(fill: Fill): Promise<Buffer> {
  const head = Buffer.alloc(HEAD_BYTES);
  let length = 0;
  while (length < HEAD_BYTES) {
    const read = await fill(head, length, HEAD_BYTES - length);
    if (read === 0) break;
    length += read;
  }
  return head.subarray(0, length);
}

async function* bytesFrom(head: Buffer, fill: Fill): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  for (;;) {
    const chunk = Buffer.allocUnsafe(256 * 1024);
    const read = await fill(chunk, 0, chunk.length);
    if (read === 0) return;
    yield chunk.subarray(0, read);
  }
}

/** How often a file may be packed: there are some that unpack to themselves. */
const MAX_LAYERS = 3;

async function decoded(read: Fill, layers: number): Promise<OpenBytes> {
  if (layers > MAX_LAYERS)
    return { reason: `it is compressed more than ${MAX_LAYERS} times; unpack it first` };
  const head = await headOf(read);
  const found = encodingOf(head);
  if ("reason" in found) return found;
  if (found.encoding === "zip")
    return layers === 0
      ? { archive: "zip" }
      : { reason: "it is a zip archive that is compressed; unpack it first" };
  const bytes = Readable.from(bytesFrom(head, read), { objectMode: false });
  if (found.encoding === "text") return { fill: fromStream(bytes) };
  const decoder = DECODERS[found.encoding]();
  // A fault of the file is the decoder's to tell, since it is the decoder that is read.
  bytes.on("error", (error) => decoder.destroy(error));
  const fill = fromStream(bytes.pipe(decoder));
  return found.encoding.startsWith("utf-16") ? { fill } : decoded(fill, layers + 1);
}

/**
 * Opens the bytes of a file, whatever it is encoded in: UTF-8, UTF-16, gzip, Zstandard, and one inside another.
 *
 * @example
 * const bytes = await openBytes(fill);
 * if ("fill" in bytes) await bytes.fill(buffer, 0, buffer.length);
 */
export const openBytes = (read: Fill): Promise<OpenBytes> => decoded(read, 0);
