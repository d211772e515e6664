import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AvroRecord, AvroSchema } from "../avro.ts";
import { fingerprint } from "../fingerprint.ts";
import { readEvents, readShared } from "./assemble.ts";
import { readReleased } from "./released.ts";

const HEADER = "// Generated from schemas/ by `npm run schemas:generate`. Do not edit.\n";

const PRIMITIVES: Record<string, string> = {
  string: "string",
  int: "number",
  long: "number",
  double: "number",
  boolean: "boolean",
  bytes: "Buffer",
};
const LOGICAL: Record<string, string> = { json: "JsonText", uuid: "Uuid", "timestamp-micros": "Micros" };

function typeOf(schema: AvroSchema): string {
  if (typeof schema === "string") return PRIMITIVES[schema] ?? schema;
  if (Array.isArray(schema)) return `${typeOf(schema[1] as AvroSchema)} | null`;
  if ("items" in schema && schema.items !== undefined) return `${typeOf(schema.items)}[]`;
  const { logicalType } = schema as { logicalType?: string };
  return (logicalType === undefined ? undefined : LOGICAL[logicalType]) ?? typeOf(schema.type as AvroSchema);
}

function interfaceOf(record: AvroRecord, tagged: boolean): string {
  const lines = [`/** ${record.doc} */`, `export interface ${record.name} {`];
  if (tagged) lines.push(`  type: "${record.name}";`);
  for (const field of record.fields) {
    if (field.doc !== undefined) lines.push(`  /** ${field.doc} */`);
    lines.push(`  ${field.name}${Array.isArray(field.type) ? "?" : ""}: ${typeOf(field.type)};`);
  }
  return [...lines, "}"].join("\n");
}

const defaultsOf = (record: AvroRecord): [string, unknown][] =>
  record.fields
    .filter((field) => "default" in field && !Array.isArray(field.type))
    .map((field) => [field.name, field.default]);

function defaultsTable(events: AvroRecord[]): string {
  const rows = events.map(
    (event) => `  ${event.name}: ${JSON.stringify(Object.fromEntries(defaultsOf(event)))},`,
  );
  return `/** What a field that is left out of an event means, for fields that are never null. */\nexport const DEFAULTS = {\n${rows.join("\n")}\n} as const;`;
}

/** The source of `generated/events.ts`. */
export function eventTypes(): string {
  const events = [...readEvents().values()];
  const names = events.map((event) => event.name);
  return `${[
    HEADER,
    "/** JSON text: free-form values travel as the text that was received. */\nexport type JsonText = string;",
    "/** A UUID in its 36-character form. */\nexport type Uuid = string;",
    "/** Microseconds since the Unix epoch. */\nexport type Micros = number;",
    ...[...readShared().values()].map((record) => interfaceOf(record, false)),
    ...events.map((record) => interfaceOf(record, true)),
    `/** Any event of the log. */\nexport type AtlasEvent =\n${names.map((name) => `  | ${name}`).join("\n")};`,
    '/** The name of an event. */\nexport type EventType = AtlasEvent["type"];',
    "/** The event of a given name. */\nexport type EventOf<T extends EventType> = Extract<AtlasEvent, { type: T }>;",
    defaultsTable(events),
    `/** What happened, without its envelope; fields with a default may be left out. */
export type Draft<T extends EventType> = Omit<EventOf<T>, "type" | "meta" | keyof (typeof DEFAULTS)[T]> &
  Partial<Pick<EventOf<T>, keyof (typeof DEFAULTS)[T] & keyof EventOf<T>>>;`,
  ].join("\n\n")}\n`;
}

/** The source of `generated/released.ts`: every released version, oldest first. */
export function releasedSchemas(): string {
  const rows = [...readReleased().values()]
    .flat()
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version - b.version));
  const lines = rows.map(
    (row) =>
      `  { name: ${JSON.stringify(row.name)}, version: ${row.version}, fingerprint: "${fingerprint(row.schema)}", schema: ${JSON.stringify(JSON.stringify(row.schema))} },`,
  );
  return `${HEADER}
/** One released version of an event's schema; \`schema\` is its JSON text. */
export interface ReleasedSchema {
  name: string;
  version: number;
  fingerprint: string;
  schema: string;
}

/** Every released schema, oldest version first. */
export const RELEASED_SCHEMAS: readonly ReleasedSchema[] = [
${lines.join("\n")}
];
`;
}

const GENERATED = join(import.meta.dirname, "..", "generated");
/** The generated files: where they are and what they should say. */
export const generatedFiles = (): [path: string, text: string][] => [
  [join(GENERATED, "events.ts"), eventTypes()],
  [join(GENERATED, "released.ts"), releasedSchemas()],
];

if (import.meta.main) {
  for (const [path, text] of generatedFiles()) writeFileSync(path, text);
}

/** The generated files that are not what the schemas say. */
export function staleFiles(): string[] {
  return generatedFiles()
    .filter(([path, text]) => readFileSync(path, "utf8") !== text)
    .map(([path]) => path);
}
