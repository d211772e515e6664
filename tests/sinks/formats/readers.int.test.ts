import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isoOf } from "../../../schemas/identity.ts";
import { formatOf } from "../../../sinks/datasets/formats.ts";
import { TRAINER_FORMATS } from "../../../sinks/formats/formats.ts";
import { parquetFormat } from "../../../sinks/formats/parquet-format.ts";
import { encodeTrainingLine } from "../../../traces/training-line.ts";
import { pythonFor } from "../../services/python.ts";
import { HARMLESS, manySessions, run } from "./format-sessions.ts";

interface Seen {
  [format: string]: { rows: number; columns: string[]; checked?: number; groups?: Record<string, unknown[]> };
}

interface SeenParquet {
  rows: number[];
  types: Record<string, string>;
  tasks: Record<string, string>;
  rewards: Record<string, number | null>;
  created: Record<string, string>;
  records: Record<string, string>;
  duckdb: [string, string, number | null, number][];
  groups: number;
}

const python = await pythonFor("readers", "readers of training files");

describe.skipIf(!python)("readers of training files", () => {
  const folder = mkdtempSync(join(tmpdir(), "atlas-formats-"));
  const sessions = manySessions();
  const lines: Record<string, number> = {};
  let seen: Seen;
  let parquet: SeenParquet;

  beforeAll(async () => {
    for (const format of [formatOf("atlas"), ...TRAINER_FORMATS]) {
      if (!("encode" in format)) continue;
      const written = sessions.flatMap((trace) => format.encode(trace));
      lines[format.name] = written.length;
      writeFileSync(join(folder, `${format.name}.jsonl`), written.map((line) => `${line}\n`).join(""));
    }
    const writer = await parquetFormat.open(join(folder, "parquet.parquet"));
    for (const trace of sessions) await writer.write(trace);
    // More than one row group.
    for (let index = 0; index < 1100; index += 1) await writer.write(run(`row ${index}`));
    await writer.close();
    const { stdout } = await promisify(execFile)(
      python!,
      [join(import.meta.dirname, "read_formats.py"), folder],
      {
        env: { ...process.env, HF_HUB_OFFLINE: "1", HF_DATASETS_OFFLINE: "1", PYTHONDONTWRITEBYTECODE: "1" },
        maxBuffer: 512 * 1024 * 1024,
      },
    );
    const all = JSON.parse(stdout) as Seen & { parquet: SeenParquet };
    seen = all;
    parquet = all.parquet;
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("datasets and pyarrow infer one type for each path of each format, and count as we do", () => {
    const names = Object.keys(lines).sort();
    expect(names).toEqual([
      "atlas",
      "openai-chat",
      "trl-kto",
      "trl-messages",
      "trl-preference",
      "trl-prompt-completion",
      "trl-rollouts",
    ]);
    expect(names.map((name) => seen[name]!.rows)).toEqual(names.map((name) => lines[name]));
    for (const name of names) expect(lines[name]).toBeGreaterThan(0);
    expect(seen["trl-preference"]!.columns).toEqual(expect.arrayContaining(["chosen", "prompt", "rejected"]));
  });

  test("every chat line passes the types of OpenAI's client, strictly", () => {
    expect(seen["openai-chat"]!.checked).toBe(lines["openai-chat"]);
  });

  test("rollouts come together by their group", () => {
    expect(seen["trl-rollouts"]!.groups).toEqual({
      g1: [
        [0, 0],
        [1, 1],
      ],
      [HARMLESS]: [[0, 0.5]],
    });
  });

  test("pyarrow, DuckDB and datasets read the same Parquet rows", () => {
    const count = sessions.length + 1100;
    expect(parquet.rows).toEqual([count, count, count]);
    expect(parquet.groups).toBeGreaterThan(1);
    expect(parquet.types).toMatchObject({
      task: "string",
      reward: "double",
      steps: "int64",
      drift_alert: "bool",
      created_at: "timestamp[us, tz=UTC]",
      record: "string",
    });
    for (const trace of sessions) {
      const id = trace.session_id;
      expect(parquet.rewards[id]).toBe(trace.reward?.score ?? null);
      expect(parquet.records[id]).toBe(encodeTrainingLine(trace));
      expect(new Date(parquet.created[id]!).toISOString()).toBe(
        new Date(isoOf(trace.created_at!)).toISOString(),
      );
      const row = parquet.duckdb.find(([of]) => of === id)!;
      expect(row[1]).toBe(parquet.tasks[id]);
    }
    expect(Object.values(parquet.tasks)).toContain(HARMLESS);
  });
});
