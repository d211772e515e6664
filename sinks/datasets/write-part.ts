import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomically } from "../../files/atomic-file.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import type { DatasetFormat, FileFormat, LineFormat } from "./format.ts";

/** What was written. */
export interface WrittenPart {
  bytes: number;
  sha256: string;
  records: number;
  /** Sessions that gave no record, by the reason. */
  without: Record<string, number>;
}

const NOTHING = "nothing-to-write";

const noted = (without: Record<string, number>, reason: string): void => {
  without[reason] = (without[reason] ?? 0) + 1;
};

async function writeLines(
  format: LineFormat,
  path: string,
  traces: AsyncIterable<SessionTrace>,
): Promise<WrittenPart> {
  let records = 0;
  const without: Record<string, number> = {};
  async function* lines(): AsyncGenerator<string> {
    for await (const trace of traces) {
      const encoded = format.encode(trace);
      if (encoded.length === 0) noted(without, format.reasonAgainst?.(trace) ?? NOTHING);
      for (const line of encoded) {
        records += 1;
        yield `${line}\n`;
      }
    }
  }
  const { bytes, sha256 } = await writeAtomically(path, lines());
  return { bytes, sha256, records, without };
}

/** Length and SHA-256 of a file. */
export async function measure(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

async function sync(path: string): Promise<void> {
  const file = await open(path, "r+");
  await file.sync().finally(() => file.close());
}

async function writeFile(
  format: FileFormat,
  path: string,
  traces: AsyncIterable<SessionTrace>,
): Promise<WrittenPart> {
  const writer = await format.open(path);
  const without: Record<string, number> = {};
  let records = 0;
  try {
    for await (const trace of traces) {
      const added = await writer.write(trace);
      if (added === 0) noted(without, NOTHING);
      records += added;
    }
  } catch (error) {
    await writer.abort();
    throw error;
  }
  await writer.close();
  await sync(path);
  return { ...(await measure(path)), records, without };
}

/** Writes one file of a dataset. */
export const writePart = (
  format: DatasetFormat,
  folder: string,
  name: string,
  traces: AsyncIterable<SessionTrace>,
): Promise<WrittenPart> =>
  "encode" in format
    ? writeLines(format, join(folder, name), traces)
    : writeFile(format, join(folder, name), traces);
