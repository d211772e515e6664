import type { SessionTrace } from "../../traces/session-trace.ts";
import type { Features } from "./features.ts";

/** What the sessions of a group gave together. */
export interface GroupLines {
  lines: readonly string[];
  /** How many of them are in no line, by the reason. */
  without: Readonly<Record<string, number>>;
}

/**
 * What a dataset's files hold: lines of text, so many for each session.
 *
 * @example
 * const tasks: LineFormat = {
 *   name: "tasks",
 *   extension: "jsonl",
 *   encode: ({ started }) => [JSON.stringify({ task: started?.task })],
 * };
 */
export interface LineFormat {
  /** Lower-case letters, digits and hyphens. */
  readonly name: string;
  /** Of its files, without the dot. */
  readonly extension: string;
  /** The lines of one session without their line ends; none where the format has nothing to say of it. */
  encode(trace: SessionTrace): readonly string[];
  /** Why there are no lines of a session, in a word or two; the manifest counts them by it. */
  reasonAgainst?(trace: SessionTrace): string;
  /**
   * Where a line may be made of several sessions: the lines of a group of rollouts, in place of `encode`. Sessions of a
   * group are in one file then, next to one another, the newest first; one of no group comes alone. A group at a time is
   * in memory.
   */
  encodeGroup?(traces: readonly SessionTrace[]): GroupLines;
  /** What a line is, in a sentence for the card of the dataset. */
  readonly about?: string;
  /** The types of all paths, which the card fixes for readers; they guess them where this is left out. */
  readonly features?: Features;
}

/** A file that is being written. */
export interface FormatWriter {
  /** Adds a session; resolves with the number of records that it gave. */
  write(trace: SessionTrace): Promise<number>;
  /** Ends the file; it is on disk then. */
  close(): Promise<void>;
  /** Gives the file up after an error: its descriptor is closed, its content does not matter. */
  abort(): Promise<void>;
}

/**
 * A format that is not made of lines. The same sessions in the same order have to give the same bytes. Sessions come
 * in one order, one file after the other.
 */
export interface FileFormat {
  /** Lower-case letters, digits and hyphens. */
  readonly name: string;
  /** Of its files, without the dot. */
  readonly extension: string;
  /** What a record is, in a sentence for the card of the dataset. */
  readonly about?: string;
  /** Begins a file, which does not exist yet. */
  open(path: string): Promise<FormatWriter>;
}

/** How sessions become files. */
export type DatasetFormat = LineFormat | FileFormat;
