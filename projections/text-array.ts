/** Oids of the types whose arrays are sent as bytes. */
const OIDS: Readonly<Record<string, number>> = { text: 25, jsonb: 3802 };
/** What begins a jsonb value on the wire. */
const JSONB_VERSION = 1;

const INT = 4;
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
  // An array without elements has no dimension either.
  const dimension = cells.length === 0 ? [] : [cells.length, 1];
  const head = [dimension.length / 2, cells.includes(null) ? 1 : 0, OIDS[type] ?? 0, ...dimension];
  let size = head.length * INT;
  for (const cell of cells) size += INT + (cell === null ? 0 : version + Buffer.byteLength(cell));
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
    const end = start + version + bytes.write(cell, start + version);
    bytes.writeInt32BE(end - start, at);
    at = end;
  }
  return bytes;
}
