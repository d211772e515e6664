import { pipeline, type Transform } from "node:stream";
import { crc32, createInflateRaw, createZstdDecompress } from "node:zlib";
import { type Entry, openPromise, type ZipFile } from "yauzl";
import { messageOf } from "../../errors/atlas-error.ts";
import type { Fill } from "./byte-window.ts";
import { fromStream } from "./fill.ts";
import { MAX_ROW_BYTES } from "./split-rows.ts";

/** A file of an archive that is being read; it has to be closed. */
export interface OpenedFile {
  /** @throws DamagedArchive */
  fill: Fill;
  close(): void;
}

/** A file in an archive. */
export interface ArchivedFile {
  name: string;
  /** Its size unpacked, as the archive says. */
  size: number;
  /**
   * Opens its bytes, unpacked. While they are read they may turn out to be damaged.
   *
   * @returns the bytes, or in one sentence why they cannot be read
   */
  open(): Promise<OpenedFile | { reason: string }>;
}

/** An archive that is open. */
export interface Archive {
  files: readonly ArchivedFile[];
  close(): void;
}

/** The error of an archive that is not as it should be. */
export class DamagedArchive extends Error {}

const STORED = 0;
const DEFLATED = 8;
const ZSTANDARD = 93;
const DECODERS: Record<number, (() => Transform) | undefined> = {
  [DEFLATED]: createInflateRaw,
  [ZSTANDARD]: createZstdDecompress,
};

/** More than text is ever packed by: such a file is made to fill a disk. */
const BOMB_RATIO = 200;

/** Reads on as long as bytes are as many as was said, and fails at the end where their checksum is another. */
function checked(fill: Fill, { crc32: wanted, uncompressedSize }: Entry): Fill {
  let sum = 0;
  let length = 0;
  return async (into, at, most) => {
    const read = await fill(into, at, most);
    sum = crc32(into.subarray(at, at + read), sum);
    length += read;
    if (length > uncompressedSize) throw new DamagedArchive("it is longer than the archive says");
    if (read === 0 && (length < uncompressedSize || sum !== wanted))
      throw new DamagedArchive("its checksum does not match: it is damaged");
    return read;
  };
}

/** Why a file is not opened; undefined where it can be. */
function reasonAgainst(entry: Entry): string | undefined {
  const { compressionMethod: method, uncompressedSize, compressedSize } = entry;
  if (entry.isEncrypted()) return "it is encrypted; unpack it first";
  if (method !== STORED && DECODERS[method] === undefined)
    return `it is packed in a way that cannot be read (method ${method}); unpack it first`;
  if (uncompressedSize > MAX_ROW_BYTES && uncompressedSize > compressedSize * BOMB_RATIO)
    return `it unpacks to ${uncompressedSize} bytes, ${Math.round(uncompressedSize / Math.max(1, compressedSize))} times its size: it is not read`;
  return undefined;
}

/** Whatever fails while a file is unpacked is a fault of the archive. */
const faultsNamed =
  (fill: Fill): Fill =>
  async (into, at, length) => {
    try {
      return await fill(into, at, length);
    } catch (error) {
      throw new DamagedArchive(`it is damaged: ${messageOf(error)}`, { cause: error });
    }
  };

async function openFile(zip: ZipFile, entry: Entry): ReturnType<ArchivedFile["open"]> {
  const reason = reasonAgainst(entry);
  if (reason !== undefined) return { reason };
  try {
    const raw = await zip.openReadStreamPromise(entry, { decodeFileData: false });
    const decode = DECODERS[entry.compressionMethod];
    const stream = decode === undefined ? raw : decode();
    // What fails anywhere is given to whoever reads the end.
    if (stream !== raw) pipeline([raw, stream], () => undefined);
    const fill = checked(faultsNamed(fromStream(stream)), entry);
    return { fill, close: () => void stream.destroy() };
  } catch (error) {
    return { reason: `it is damaged: ${messageOf(error)}` };
  }
}

const nameOf = (name: unknown): string => (Buffer.isBuffer(name) ? name.toString("utf8") : String(name));

/**
 * Opens a zip archive: files that are stored, deflated or packed with Zstandard, of any number and size. Only its list
 * of files is kept in memory.
 *
 * @throws DamagedArchive where the list of files cannot be read
 * @example
 * const archive = await openArchive("runs.zip");
 * for (const file of archive.files) console.log(file.name);
 * archive.close();
 */
export async function openArchive(path: string): Promise<Archive> {
  let zip: ZipFile | undefined;
  try {
    // Names are told and never used as paths, and sizes are looked at when a file is read: no file costs the others.
    zip = await openPromise(path, { autoClose: false, decodeStrings: false, validateEntrySizes: false });
    const opened = zip;
    const files: ArchivedFile[] = [];
    for await (const entry of zip.eachEntry()) {
      const name = nameOf(entry.fileName);
      const open = (): ReturnType<ArchivedFile["open"]> => openFile(opened, entry);
      if (!name.endsWith("/")) files.push({ name, size: entry.uncompressedSize, open });
    }
    return { files, close: () => opened.close() };
  } catch (error) {
    zip?.close();
    throw new DamagedArchive(messageOf(error), { cause: error });
  }
}
