/** Oids of the types whose arrays are sent as bytes. */
const OIDS = { bytea: 17, text: 25, jsonb: 3802 } as const;
/** What begins a jsonb value on the wire. */
const JSONB_VERSION = 1;

const INT = 4;
const NULL = -1;

/** A type whose arrays {@link arrayBytes} makes. */
export type ByteType = keyof typeof OIDS;

/** Says whether {@link arrayBytes} takes arrays of a type. */
export const isByteType = (type: string): type is ByteType => type in OIDS;

type Cell = string | Uint8Array | null;

const lengthOf = (cell: string | Uint8Array): number =>
  typeof cell === "string" ? Buffer.byteLength(cell) : cell.length;

/**
 * An array as Postgres takes it in bytes. As a literal every quote and backslash would be escaped once more, and JSON is full
 * of them; bytes would be twice as long.
 *
 * @param type what the cells are; texts are given as strings
 * @example
 * await tx.query("select unnest($1::jsonb[])", [arrayBytes("jsonb", ['{"score":1}', null])]);
 */
export function arrayBytes(type: ByteType, cells: readonly Cell[]): Buffer {
  const version = type === "jsonb" ? 1 : 0;
  // An array without elements has no dimension either.
  const dimension = cells.length === 0 ? [] : [cells.length, 1];
  const head = [dimension.length / 2, cells.includes(null) ? 1 : 0, OIDS[type], ...dimension];
  let size = head.length * INT;
  for (const cell of cells) size += INT + (cell === null ? 0 : version + lengthOf(cell));
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const number of head) at = bytes.writeInt32BE(number, at);
  for (const cell of cells) {
    const start = at + INT;
    if (cell === null) {
      at = bytes.writeInt32BE(NULL, at);
      continue;
    }
    if (version > 0) bytes.writeUInt8(JSONB_VERSION, start);
    let end = start + version;
    if (typeof cell === "string") end += bytes.write(cell, end);
    else {
      bytes.set(cell, end);
      end += cell.length;
    }
    bytes.writeInt32BE(end - start, at);
    at = end;
  }
  return bytes;
}
