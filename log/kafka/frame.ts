const MAGIC = 0;
const FRAME_BYTES = 5;

/** Puts a body into Confluent's wire format: a zero byte and the schema's id before it. */
export function frame(schemaId: number, body: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(FRAME_BYTES + body.length);
  framed[0] = MAGIC;
  framed.writeInt32BE(schemaId, 1);
  body.copy(framed, FRAME_BYTES);
  return framed;
}

/** The schema's id and the body of a framed value; undefined for a value that has no such frame. */
export function unframe(value: Buffer): { schemaId: number; body: Buffer } | undefined {
  if (value.length < FRAME_BYTES || value[0] !== MAGIC) return undefined;
  return { schemaId: value.readInt32BE(1), body: value.subarray(FRAME_BYTES) };
}
