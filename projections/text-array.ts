/** Oids of the types whose arrays are sent as bytes. */
const OIDS: Readonly<Record<string, number>> = { text: 25, jsonb: 3802 };
/** What begins a jsonb value on the wire. */
const JSONB_VERSION = 1;

const HEADER = 20;
const LENGTH = 4;
const NULL = -1;

/** Says whether {@link textArray} takes arrays of a type. */
export const isTextual = (type: string): boolean => type in OIDS;

/**
 * An array of texts as Postgres takes it in bytes. As a literal every quote and backslash would be escaped once more, and
 * JSON is full of them.
 *
 * @param type `text` or `jsonb`
 * @example
 * await tx.query("select unnest($1::jsonb[])", [textArray("jsonb", ['{"score":1}', null])]);
 */
export function textArray(type: string, cells: readonly (string | null)[]): Buffer {
  const version = type === "jsonb" ? 1 : 0;
  let size = HEADER;
  for (const cell of cells) size += LENGTH + (cell === null ? 0 : version + Buffer.byteLength(cell));
  const bytes = Buffer.allocUnsafe(size);
  const head = [cells.length === 0 ? 0 : 1, cells.includes(null) ? 1 : 0, OIDS[type] ?? 0, cells.length, 1];
  let at = 0;
  for (const number of head) at = bytes.writeInt32BE(number, at);
  for (const cell of cells) {
    const start = at + LENGTH;
    if (cell === null) {
      at = bytes.writeInt32BE(NULL, at);
      continue;
    }
    if (version > 0) bytes.writeUInt8(JSONB_VERSION, start);
    const end = start + version + bytes.write(cell, start + version);
    bytes.writeInt32BE(end - start, at);
    at = end;
  }
  return bytes;
}
