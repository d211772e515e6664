import { crc32, deflateRawSync, zstdCompressSync } from "node:zlib";

/** A file to pack, and what is to be wrong with it. */
export interface PackedFile {
  name: string;
  data: string | Buffer;
  /** Stored unless told. */
  by?: "stored" | "deflate" | "zstd" | "unknown";
  encrypted?: boolean;
  /** The sizes stand where the largest archives have them. */
  zip64?: boolean;
  /** Another checksum than it has. */
  crc?: number;
  /** Another size than it has. */
  size?: number;
}

const METHODS = { stored: 0, deflate: 8, zstd: 93, unknown: 99 };
const PACK = {
  stored: (data: Buffer) => data,
  deflate: deflateRawSync,
  zstd: zstdCompressSync,
  unknown: (data: Buffer) => data,
};

const u16 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [at, value] of values.entries()) bytes.writeUInt16LE(value, at * 2);
  return bytes;
};
const u32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [at, value] of values.entries()) bytes.writeUInt32LE(value, at * 4);
  return bytes;
};
const u64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};

/** The bytes of a zip archive. */
export function zipOf(files: readonly PackedFile[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data, by = "stored", encrypted = false, zip64 = false, ...wrong } of files) {
    const plain = Buffer.from(data);
    const packed = PACK[by](plain);
    const { crc = crc32(plain), size = plain.length } = wrong;
    const extra = zip64 ? Buffer.concat([u16(1, 16), u64(size), u64(packed.length)]) : Buffer.alloc(0);
    const sizes = zip64 ? u32(crc, 0xffffffff, 0xffffffff) : u32(crc, packed.length, size);
    const common = Buffer.concat([
      u16(encrypted ? 1 : 0, METHODS[by], 0, 0),
      sizes,
      u16(Buffer.byteLength(name), extra.length),
    ]);
    const local = Buffer.concat([u32(0x04034b50), u16(45), common, Buffer.from(name), extra]);
    directory.push(
      Buffer.concat([
        u32(0x02014b50),
        u16(45, 45),
        common,
        u16(0, 0, 0),
        u32(0, offset),
        Buffer.from(name),
        extra,
      ]),
    );
    parts.push(local, packed);
    offset += local.length + packed.length;
  }
  const listed = Buffer.concat(directory);
  const count = files.length;
  const end = Buffer.concat([u32(0x06054b50), u16(0, 0, count, count), u32(listed.length, offset), u16(0)]);
  return Buffer.concat([...parts, listed, end]);
}
