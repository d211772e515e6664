/** An Avro schema as parsed JSON. */
export type AvroSchema =
  | string
  | AvroSchema[]
  | AvroRecord
  | { type: AvroSchema; items?: AvroSchema; values?: AvroSchema; logicalType?: string };

/** A record schema. */
export interface AvroRecord {
  type: "record";
  name: string;
  namespace?: string;
  doc?: string;
  fields: AvroField[];
}

/** One field of a record schema. */
export interface AvroField {
  name: string;
  type: AvroSchema;
  doc?: string;
  default?: unknown;
}
