import { MAX_ROW_BYTES } from "../files/split-rows.ts";
import type { ArchivedFile } from "../files/zip-archive.ts";
import { archivedObject, archivedValue } from "./archived-text.ts";

interface Unread {
  reason: string;
}

const isUnread = (value: unknown[] | Unread): value is Unread => "reason" in value;

/** The items of a sequence, whose files are named by the first item in each. */
async function itemsOf(folder: string, files: readonly ArchivedFile[]): Promise<unknown[] | Unread> {
  const firstIn = ({ name }: ArchivedFile): number => {
    const [, digits] = name.startsWith(`${folder}/`)
      ? (/^(\d+)\.json$/.exec(name.slice(folder.length + 1)) ?? [])
      : [];
    return digits === undefined ? -1 : Number(digits);
  };
  const chunks = files
    .filter((file) => firstIn(file) >= 0)
    .sort((one, other) => firstIn(one) - firstIn(other));
  const items: unknown[] = [];
  for (const file of chunks) {
    const read = await archivedValue(file);
    if ("reason" in read) return { reason: `${file.name}: ${read.reason}` };
    if (!Array.isArray(read.value)) return { reason: `${file.name}: it is no list` };
    for (const item of read.value as unknown[]) items.push(item);
  }
  return items;
}

/** The messages at ranges of a pool, the end of each not in it. */
function messagesAt(ranges: unknown, pool: readonly unknown[]): unknown[] {
  const list = Array.isArray(ranges) ? (ranges as unknown[]) : [];
  return list.flatMap((range) => {
    const [from, to] = Array.isArray(range) ? (range as unknown[]) : [];
    return typeof from === "number" && typeof to === "number" ? pool.slice(from, to) : [];
  });
}

/**
 * A sample that a log has in many files, as other logs have it in one.
 *
 * @param folder where its files are
 * @returns its JSON text, or why it cannot be read
 */
export async function chunkedSample(
  folder: string,
  files: readonly ArchivedFile[],
): Promise<{ text: string } | Unread> {
  const own = files.filter(({ name }) => name.startsWith(`${folder}/`));
  const length = own.reduce((sum, { size }) => sum + size, 0);
  if (length > MAX_ROW_BYTES) return { reason: `its files are longer than ${MAX_ROW_BYTES} bytes together` };
  const shell = await archivedObject(own.find(({ name }) => name === `${folder}/sample.json`)!);
  if ("reason" in shell) return shell;
  const metadata = own.find(({ name }) => name === `${folder}/metadata.json`);
  const about = metadata === undefined ? undefined : await archivedValue(metadata);
  if (about !== undefined && "reason" in about) return { reason: `${metadata!.name}: ${about.reason}` };
  const pool = await itemsOf(`${folder}/messages`, own);
  if (isUnread(pool)) return pool;
  const events = await itemsOf(`${folder}/events`, own);
  if (isUnread(events)) return events;
  const attachments = await itemsOf(`${folder}/attachments`, own);
  if (isUnread(attachments)) return attachments;
  const { message_refs, sequences: _, ...sample } = shell.value;
  const whole = {
    ...sample,
    ...(about !== undefined && { metadata: about.value }),
    messages: messagesAt(message_refs, pool),
    events,
    // They are referred to by their place.
    attachments: Object.fromEntries(attachments.entries()),
  };
  return { text: JSON.stringify(whole) };
}
