import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { AtlasError, messageOf } from "../../errors/atlas-error.ts";
import { isObject } from "../../traces/clean-text.ts";
import {
  type DatasetManifest,
  type DatasetPart,
  type ListedSession,
  readManifest,
} from "../datasets/manifest.ts";
import { listedSessions } from "../datasets/verify-dataset.ts";
import { atlasView } from "./atlas-view.ts";
import { chatView } from "./chat-view.ts";
import type { QualityRecord } from "./record.ts";

const NEWLINE = 10;

interface Line {
  bytes: Buffer;
  offset: number;
}

/** The lines of a file, each with the byte that it begins at. */
async function* linesOf(path: string): AsyncGenerator<Line> {
  let pieces: Buffer[] = [];
  let offset = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      const rest = chunk.subarray(from, at);
      const bytes = pieces.length === 0 ? rest : Buffer.concat([...pieces, rest]);
      pieces = [];
      yield { bytes, offset };
      offset += bytes.length + 1;
      from = at + 1;
    }
    if (from < chunk.length) pieces.push(chunk.subarray(from));
  }
  if (pieces.length > 0) yield { bytes: Buffer.concat(pieces), offset };
}

const sessionIn = (raw: Record<string, unknown>): string | null => {
  const id = raw.session_id ?? (isObject(raw.session_metadata) ? raw.session_metadata.session_id : null);
  return typeof id === "string" ? id : null;
};

const OTHER_FORMAT = "Build the same sessions in the format atlas, or in one for a trainer, and take that.";

/** A dataset whose records are read one after the other. */
export class ReadDataset {
  readonly folder: string;
  readonly manifest: DatasetManifest;
  readonly #handles = new Map<string, FileHandle>();

  private constructor(folder: string, manifest: DatasetManifest) {
    this.folder = folder;
    this.manifest = manifest;
  }

  /**
   * @param place the manifest, or the folder
   * @throws AtlasError ATLAS_FILE_UNREADABLE, ATLAS_DATASET_INVALID, or ATLAS_USAGE for files that are not lines
   */
  static async open(place: string): Promise<ReadDataset> {
    const { folder, manifest } = await readManifest(place);
    if (manifest.files.some(({ name }) => name.endsWith(".parquet")))
      throw new AtlasError("ATLAS_USAGE", `files of the format ${manifest.format} are not read here`, {
        where: folder,
        hint: OTHER_FORMAT,
      });
    return new ReadDataset(folder, manifest);
  }

  /** Names of the parts, those without a file among them. */
  get parts(): (string | null)[] {
    const { split, files } = this.manifest;
    return [...new Set([...Object.keys(split?.parts ?? {}), ...files.map((file) => file.split)])];
  }

  /**
   * Every record, in the order of the files.
   *
   * @throws AtlasError ATLAS_DATASET_TAMPERED, ATLAS_DATASET_INVALID, ATLAS_USAGE
   */
  async *records(): AsyncGenerator<QualityRecord> {
    const { files } = this.manifest;
    const without = Object.values(this.manifest.without_records).some((number) => number > 0);
    const listed = listedSessions(this.folder, this.manifest);
    try {
      for (const file of files) {
        const isListed = !without && file.records === file.sessions;
        yield* this.#recordsOf(file, isListed ? listed : undefined);
        if (!isListed) for (let passed = 0; passed < file.sessions; passed += 1) await listed.next();
      }
    } finally {
      await listed.return(undefined);
    }
  }

  async *#recordsOf(
    file: DatasetPart,
    listed: AsyncGenerator<ListedSession> | undefined,
  ): AsyncGenerator<QualityRecord> {
    const path = join(this.folder, file.name);
    const lines = linesOf(path);
    let line = 0;
    try {
      for (;;) {
        const next = await lines.next().catch((error: unknown) => {
          throw tampered(path, `the file cannot be read: ${messageOf(error)}`, error);
        });
        if (next.done === true) break;
        line += 1;
        const session = (await listed?.next())?.value as ListedSession | undefined;
        yield this.#recordOf(file, line, next.value, session);
      }
    } finally {
      await lines.return(undefined);
    }
    if (line !== file.records)
      throw tampered(path, `the file has ${line} records, and the manifest counts ${file.records}`);
  }

  #recordOf(file: DatasetPart, line: number, { bytes, offset }: Line, listed?: ListedSession): QualityRecord {
    const where = `${file.name}:${line}`;
    let raw: unknown;
    try {
      raw = JSON.parse(bytes.toString("utf8"));
    } catch (error) {
      // The message of the error repeats what the line holds.
      throw new AtlasError("ATLAS_DATASET_INVALID", "a line of a dataset is no JSON", {
        where,
        hint: OTHER_FORMAT,
        cause: error,
      });
    }
    const view = isObject(raw) ? (atlasView(raw) ?? chatView(raw)) : undefined;
    if (view === undefined || !isObject(raw))
      throw new AtlasError(
        "ATLAS_USAGE",
        `records of the format ${this.manifest.format} are of no known shape`,
        {
          where,
          hint: OTHER_FORMAT,
        },
      );
    const session = sessionIn(raw) ?? listed?.session_id ?? null;
    const reward = view.reward === undefined ? listed?.reward : view.reward;
    const place = { file: file.name, line, session };
    return { ...view, reward, place, part: file.split, raw, bytes: { offset, length: bytes.length } };
  }

  /** Reads a record again. */
  async again({ place, part, bytes: { offset, length } }: Again): Promise<QualityRecord> {
    const path = join(this.folder, place.file);
    let handle = this.#handles.get(place.file);
    if (handle === undefined) {
      handle = await open(path, "r");
      this.#handles.set(place.file, handle);
    }
    const bytes = Buffer.alloc(length);
    await handle.read(bytes, 0, length, offset);
    const file = this.manifest.files.find(({ name }) => name === place.file);
    return { ...this.#recordOf(file!, place.line, { bytes, offset }), place, part };
  }

  async close(): Promise<void> {
    for (const handle of this.#handles.values()) await handle.close();
    this.#handles.clear();
  }
}

/** What a record is found again by. */
export type Again = Pick<QualityRecord, "place" | "part" | "bytes">;

const tampered = (where: string, why: string, cause?: unknown): AtlasError =>
  new AtlasError("ATLAS_DATASET_TAMPERED", why, {
    where,
    hint: "Take the folder from where it came, or build it again with `atlas dataset reproduce`.",
    cause,
  });
