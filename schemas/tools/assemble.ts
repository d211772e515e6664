import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { AvroRecord, AvroSchema } from "../avro.ts";

const SCHEMAS = join(import.meta.dirname, "..");

function readFolder(folder: string): Map<string, AvroRecord> {
  const records = new Map<string, AvroRecord>();
  for (const file of readdirSync(join(SCHEMAS, folder)).sort()) {
    const record = JSON.parse(readFileSync(join(SCHEMAS, folder, file), "utf8")) as AvroRecord;
    if (`${record.name}.avsc` !== file) throw new Error(`${folder}/${file} holds the record ${record.name}`);
    records.set(record.name, record);
  }
  return records;
}

/** The records that events share, by name. */
export const readShared = (): Map<string, AvroRecord> => readFolder("shared");

/** The event schemas as they are written in `schemas/events`, by name. */
export const readEvents = (): Map<string, AvroRecord> => readFolder("events");

/** Inlines each shared record at its first use, so that the schema stands alone in a registry. */
export function assemble(event: AvroRecord, shared: Map<string, AvroRecord>): AvroRecord {
  const seen = new Set<string>();
  const inline = (schema: AvroSchema): AvroSchema => {
    if (typeof schema === "string") {
      const record = shared.get(schema);
      if (record === undefined || seen.has(schema)) return schema;
      seen.add(schema);
      return inlineRecord(record);
    }
    if (Array.isArray(schema)) return schema.map(inline);
    if ("items" in schema && schema.items !== undefined) return { ...schema, items: inline(schema.items) };
    return schema;
  };
  const inlineRecord = (record: AvroRecord): AvroRecord => ({
    ...record,
    fields: record.fields.map((field) => ({ ...field, type: inline(field.type) })),
  });
  return inlineRecord(event);
}

/** Every event schema, assembled. */
export function assembleAll(): Map<string, AvroRecord> {
  const shared = readShared();
  return new Map([...readEvents()].map(([name, record]) => [name, assemble(record, shared)]));
}
