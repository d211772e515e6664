import avsc from "avsc";
import type { IHeaders } from "kafkajs";
import { AtlasError } from "../../errors/atlas-error.ts";
import { releasedSchema } from "../../schemas/codec.ts";
import { fullNameOf } from "../../schemas/full-name.ts";
import type { Meta } from "../../schemas/generated/events.ts";
import { isoOf } from "../../schemas/identity.ts";
import type { OutgoingRecord } from "../event-log.ts";

const DATA_SCHEMA = "ce_dataschema";
const SCHEMA_URN = "urn:atlas:schema:";
const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/;

/** What all events of one schema have in common; as bytes, so that nobody has to encode it again. */
interface Kind {
  type: Buffer;
  schema: Buffer;
  readMeta: (body: Buffer) => Meta;
}

const SPEC_VERSION = Buffer.from("1.0");
const CONTENT_TYPE = Buffer.from("application/avro");

const kinds = new Map<string, Kind>();

function kindOf(fingerprint: string): Kind {
  const known = kinds.get(fingerprint);
  if (known !== undefined) return known;
  const released = releasedSchema(fingerprint);
  if (released === undefined) {
    throw new AtlasError("ATLAS_SCHEMA_NEWER", `no released schema has the fingerprint ${fingerprint}`, {
      hint: "Upgrade atlas-sdk here before the programs that write to the log.",
    });
  }
  const schema = JSON.parse(released.schema) as { fields: unknown[] };
  // The envelope is the first field of every event, so that it can be read without the rest.
  const envelope = avsc.Type.forSchema({ ...schema, fields: schema.fields.slice(0, 1) } as avsc.Schema);
  const kind: Kind = {
    type: Buffer.from(fullNameOf(released.name)),
    schema: Buffer.from(SCHEMA_URN + fingerprint),
    readMeta: (body) => (envelope.fromBuffer(body, undefined, true) as { meta: Meta }).meta,
  };
  kinds.set(fingerprint, kind);
  return kind;
}

/**
 * The envelope of a record as CloudEvents attributes (binary mode) and trace context. They are read from the masked and
 * encoded body: what was masked there is nowhere else.
 */
export function headersOf(record: OutgoingRecord): IHeaders {
  const { type, schema, readMeta } = kindOf(record.fingerprint);
  const meta = readMeta(record.body);
  const headers: IHeaders = {
    ce_specversion: SPEC_VERSION,
    ce_type: type,
    ce_id: meta.event_id,
    ce_source: encodeURI(meta.source),
    ce_subject: meta.session_id ?? record.key,
    ce_time: isoOf(meta.occurred_at),
    [DATA_SCHEMA]: schema,
    "content-type": CONTENT_TYPE,
  };
  if (typeof meta.trace_id === "string" && TRACE_ID.test(meta.trace_id)) {
    headers.traceparent = `00-${meta.trace_id}-${spanOf(meta.event_id)}-01`;
  }
  return headers;
}

/** Events are no spans; the last 16 hex digits of the event's id name the place in the trace. */
const spanOf = (eventId: string): string => eventId.replaceAll("-", "").slice(-16);

/** The fingerprint of the schema that wrote a record, as its headers say; undefined for records of other writers. */
export function fingerprintIn(headers: IHeaders | undefined): string | undefined {
  const value = headers?.[DATA_SCHEMA];
  if (!Buffer.isBuffer(value)) return undefined;
  const urn = value.toString("latin1");
  return urn.startsWith(SCHEMA_URN) ? urn.slice(SCHEMA_URN.length) : undefined;
}
