import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { writeAtomically } from "../../files/atomic-file.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import type { DatasetFormat, FileFormat, GroupLines, LineFormat } from "./format.ts";

/** What was written. */
export interface WrittenPart {
  bytes: number;
  sha256: string;
  records: number;
  /** Sessions that gave no record, by the reason. */
  without: Record<string, number>;
}

const NOTHING = "nothing-to-write";

const noted = (without: Record<string, number>, reason: string, sessions = 1): void => {
  without[reason] = (without[reason] ?? 0) + sessions;
};

/** Sessions of a group that come one after the other; one of no group alone. */
async function* inGroups(traces: AsyncIterable<SessionTrace>): AsyncGenerator<SessionTrace[]> {
  let group: SessionTrace[] = [];
  const idOf = (trace: SessionTrace | undefined): string | null => trace?.started?.group_id ?? null;
  for await (const trace of traces) {
    if (idOf(trace) !== null && idOf(trace) === idOf(group[0])) {
      group.push(trace);
      continue;
    }
    if (group.length > 0) yield group;
    group = [trace];
  }
  if (group.length > 0) yield group;
}

/** The lines of a session alone. */
function linesOf(format: LineFormat, trace: SessionTrace): GroupLines {
  const lines = format.encode(trace);
  return { lines, without: lines.length > 0 ? {} : { [format.reasonAgainst?.(trace) ?? NOTHING]: 1 } };
}

async function* encoded(
  format: LineFormat,
  traces: AsyncIterable<SessionTrace>,
  groups: boolean,
): AsyncGenerator<GroupLines> {
  if (!groups || format.encodeGroup === undefined)
    for await (const trace of traces) yield linesOf(format, trace);
  else for await (const group of inGroups(traces)) yield format.encodeGroup(group);
}

async function writeLines(
  format: LineFormat,
  path: string,
  traces: AsyncIterable<SessionTrace>,
  groups: boolean,
): Promise<WrittenPart> {
  let records = 0;
  const without: Record<string, number> = {};
  async function* lines(): AsyncGenerator<string> {
    for await (const given of encoded(format, traces, groups)) {
      for (const [reason, sessions] of Object.entries(given.without)) noted(without, reason, sessions);
      for (const line of given.lines) {
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

/**
 * Writes one file of a dataset.
 *
 * @param groups whether a format that asks for groups gets them
 */
export const writePart = (
  format: DatasetFormat,
  path: string,
  traces: AsyncIterable<SessionTrace>,
  groups: boolean,
): Promise<WrittenPart> =>
  "encode" in format ? writeLines(format, path, traces, groups) : writeFile(format, path, traces);
