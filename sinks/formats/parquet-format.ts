import { type FileHandle, open } from "node:fs/promises";
import { ByteWriter, type ColumnSource, ParquetWriter } from "hyparquet-writer";
import { cleanText } from "../../traces/clean-text.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import { stepsThatRan } from "../../traces/step-record.ts";
import { encodeTrainingLine } from "../../traces/training-line.ts";
import type { FileFormat, FormatWriter } from "../datasets/format.ts";

type Type = "STRING" | "DOUBLE" | "INT64" | "BOOLEAN" | "TIME";
type Value = string | number | boolean | bigint | null;

interface Column {
  name: string;
  type: Type;
  value: (trace: SessionTrace) => Value | undefined;
}

const column = (name: string, type: Type, value: Column["value"]): Column => ({ name, type, value });

/** One row a session: what is filtered and grouped by, and the whole record as JSON text. */
const COLUMNS: readonly Column[] = [
  column("session_id", "STRING", ({ session_id }) => session_id),
  column("task", "STRING", ({ started }) => started?.task),
  column("final_answer", "STRING", ({ final_answer }) => final_answer),
  column("status", "STRING", ({ status }) => status),
  column("review_status", "STRING", ({ review_status }) => review_status),
  column("reward", "DOUBLE", ({ reward }) => reward?.score),
  column("reward_stddev", "DOUBLE", ({ reward }) => reward?.statistics.score_stddev),
  column("drift_alert", "BOOLEAN", ({ drift }) => drift?.alert),
  column("learning_key", "STRING", ({ started }) => started?.learning_key),
  column("agent", "STRING", ({ started }) => started?.agent),
  column("lane", "STRING", ({ lanes }) => lanes.at(-1)?.lane),
  column("project", "STRING", ({ started }) => started?.project),
  column("tenant", "STRING", ({ started }) => started?.tenant),
  column("tags", "STRING", ({ started }) => JSON.stringify(started?.tags ?? [])),
  column("group_id", "STRING", ({ started }) => started?.group_id),
  column("rollout", "INT64", ({ started }) => started?.rollout),
  column("ground_truth", "STRING", ({ started }) => started?.ground_truth),
  column("simulated", "BOOLEAN", ({ simulated }) => simulated),
  column("incomplete", "BOOLEAN", ({ incomplete }) => incomplete),
  column("steps", "INT64", (trace) => stepsThatRan(trace).length),
  column("attempts", "INT64", ({ steps }) =>
    steps.reduce((sum, { attempt_count }) => sum + attempt_count, 0),
  ),
  column("total_tokens", "INT64", ({ usage }) => usage?.total_tokens),
  column("cost", "DOUBLE", ({ cost }) => cost),
  column("created_at", "TIME", ({ created_at }) => created_at),
  column("completed_at", "TIME", ({ completed_at }) => completed_at),
  column("record", "STRING", encodeTrainingLine),
];

const ELEMENTS = {
  STRING: { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } },
  DOUBLE: { type: "DOUBLE" },
  INT64: { type: "INT64" },
  BOOLEAN: { type: "BOOLEAN" },
  TIME: {
    type: "INT64",
    converted_type: "TIMESTAMP_MICROS",
    logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" },
  },
} as const;

const SCHEMA: ConstructorParameters<typeof ParquetWriter>[0]["schema"] = [
  { name: "root", num_children: COLUMNS.length },
  ...COLUMNS.map(({ name, type }) => ({ name, repetition_type: "OPTIONAL" as const, ...ELEMENTS[type] })),
];

/** A row group, and so what is in memory, ends at so many rows or so much text. */
const GROUP = { rows: 1000, characters: 16 * 1024 * 1024 };

const isInteger = (type: Type): boolean => type === "INT64" || type === "TIME";

function cellOf({ type, value }: Column, trace: SessionTrace): Value {
  const found = value(trace) ?? null;
  if (typeof found === "string") return cleanText(found);
  return typeof found === "number" && isInteger(type) ? BigInt(found) : found;
}

class ParquetFile implements FormatWriter {
  readonly #file: FileHandle;
  readonly #bytes = new ByteWriter();
  readonly #writer = new ParquetWriter({ writer: this.#bytes, schema: SCHEMA, createdBy: "atlas-sdk" });
  #rows: Value[][] = [];
  #characters = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async write(trace: SessionTrace): Promise<number> {
    const row = COLUMNS.map((of) => cellOf(of, trace));
    this.#rows.push(row);
    for (const value of row) if (typeof value === "string") this.#characters += value.length;
    if (this.#rows.length >= GROUP.rows || this.#characters >= GROUP.characters) await this.#endGroup();
    return 1;
  }

  async close(): Promise<void> {
    await this.#endGroup();
    void this.#writer.finish();
    await this.#flush();
    await this.#file.sync();
    await this.#file.close();
  }

  abort(): Promise<void> {
    return this.#file.close();
  }

  async #endGroup(): Promise<void> {
    const rows = this.#rows;
    if (rows.length === 0) return;
    this.#rows = [];
    this.#characters = 0;
    const columnData = COLUMNS.map(
      ({ name }, at): ColumnSource => ({ name, data: rows.map((row) => row[at]) }),
    );
    void this.#writer.write({ columnData, rowGroupSize: rows.length });
    await this.#flush();
  }

  /** What is written leaves memory; offsets go on counting from the beginning of the file. */
  async #flush(): Promise<void> {
    await this.#file.writeFile(this.#bytes.getBytes());
    this.#bytes.index = 0;
  }
}

/** Parquet: one row a session, its columns flat, and in `record` the line that `atlas export` writes of it. */
export const parquetFormat: FileFormat = {
  name: "parquet",
  about: "A record is a session in columns.",
  extension: "parquet",
  open: async (path) => new ParquetFile(await open(path, "wx", 0o600)),
};
