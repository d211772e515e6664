import avsc from "avsc";
import { RELEASED_SCHEMAS } from "../schemas/generated/released.ts";

const types = new Map<string, avsc.Type>();

/** Decodes a body with nothing around avsc. */
export function rawDecode(fingerprint: string, body: Buffer): unknown {
  let type = types.get(fingerprint);
  if (type === undefined) {
    const released = RELEASED_SCHEMAS.find((schema) => schema.fingerprint === fingerprint)!;
    type = avsc.Type.forSchema(JSON.parse(released.schema) as avsc.Schema);
    types.set(fingerprint, type);
  }
  return type.fromBuffer(body);
}
