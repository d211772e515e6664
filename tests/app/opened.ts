import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { decisionsOn } from "../../app/api/reviews.ts";
import { exportDataset } from "../../app/export-dataset.ts";
import { type Atlas, type OpenOptions, openAtlas } from "../../app/open-atlas.ts";
import type { ConfigInput } from "../../configs/config-schema.ts";
import { listSessions } from "../../projections/session-summaries.ts";

/** A folder that is gone after the test. */
export function folderForTest(): string {
  const folder = mkdtempSync(join(tmpdir(), "atlas-app-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Opens Atlas on an embedded log; it is closed after the test, if not before. */
export async function opened(
  folder: string,
  config: Omit<ConfigInput, "log"> = {},
  options: OpenOptions = {},
): Promise<Atlas> {
  const atlas = await openAtlas(
    { ...config, log: { kind: "embedded", path: join(folder, ".atlas") } },
    options,
  );
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= atlas.close();
    return closing;
  };
  onTestFinished(close);
  return { ...atlas, close };
}

/** Approves every pending session. */
export async function approveAll({ log, db, settled }: Pick<Atlas, "log" | "db" | "settled">): Promise<void> {
  await settled();
  const pending = await listSessions(db, { reviewStatusFilters: ["pending"], limit: null });
  await log.append(decisionsOn(log, pending, "approved", { author: "test" }));
  await settled();
}

/** The bytes of an export of all approved sessions. */
export async function exportedFrom(source: Pick<Atlas, "log" | "db">): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "atlas-export-"));
  try {
    const output = join(folder, "traces.jsonl");
    await exportDataset(source, { output });
    return readFileSync(output, "utf8");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
