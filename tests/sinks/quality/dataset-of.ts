import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MANIFEST, manifestText, SESSIONS, sealed } from "../../../sinks/datasets/manifest.ts";

/** A record that goes into a part. */
export interface Row {
  part: string;
  record: object;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const linesOf = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

/**
 * Writes a dataset with one record for each session, as a build would.
 *
 * @param parts without a record, too
 */
export function datasetOf(
  folder: string,
  format: string,
  rows: readonly Row[],
  parts: readonly string[],
  extension = "jsonl",
): string {
  mkdirSync(folder, { recursive: true });
  const listed: object[] = [];
  const files = parts
    .map((part) => ({ part, records: rows.filter((row) => row.part === part).map(({ record }) => record) }))
    .filter(({ records }) => records.length > 0)
    .map(({ part, records }) => {
      const name = `${part}.${extension}`;
      const text = linesOf(records);
      writeFileSync(join(folder, name), text);
      for (const index of records.keys()) {
        const session_id = `${part}-${index + 1}`;
        listed.push({ session_id, learning_key: "key", split: part, file: name, reward: null, digest: "" });
      }
      const { length } = records;
      const bytes = Buffer.byteLength(text);
      return { name, bytes, sha256: sha256(text), split: part, shard: 0, sessions: length, records: length };
    });
  const sessions = linesOf(listed);
  writeFileSync(join(folder, SESSIONS), sessions);
  const manifest = sealed({
    package: { name: "atlas-sdk", version: "0.0.0" },
    format,
    log: { id: "none", kind: "embedded" },
    positions: {} as never,
    filters: {},
    branch: null,
    split: { parts: Object.fromEntries(parts.map((part) => [part, 1 / parts.length])) } as never,
    shards: 1,
    schemas: [],
    derivations: [],
    sessions: rows.length,
    records: rows.length,
    steps: rows.length,
    simulated_sessions: 0,
    left_out: { erased: 0, incomplete: 0, simulated: 0, filtered: 0, duplicate: 0, unreadable_records: 0 },
    without_records: {},
    duplicates: [],
    files,
    sessions_file: { name: SESSIONS, bytes: Buffer.byteLength(sessions), sha256: sha256(sessions) },
    digest: "",
  });
  writeFileSync(join(folder, MANIFEST), manifestText(manifest));
  return folder;
}
