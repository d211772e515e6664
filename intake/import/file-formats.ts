import { isObject } from "../../traces/clean-text.ts";
import type { RowText } from "../files/row-text.ts";
import type { Format, ReadingContext, RecordedConversation } from "../formats/format.ts";
import { formatOf } from "../formats/formats.ts";
import { microsOf } from "../recorded-time.ts";
import { parseRow } from "./parse-row.ts";

/** How files are read. */
export interface ReadOptions {
  /** The format of all files; recognized unless told. */
  format?: Format | undefined;
  /** The zone of times that name none; UTC unless told. */
  timeZone?: string | undefined;
}

/** Something to say about a line of a file. */
export interface Note {
  line: number;
  reason: string;
}

interface Parts {
  format: Format;
  line: number;
  values: unknown[];
  length: number;
}

interface FoundHere {
  line: number;
  format: Format;
  conversation: RecordedConversation;
  length: number;
}

/** The parts of one recording have to be in memory together. */
const MAX_RECORDING_LENGTH = 256 * 1024 * 1024;
/** Names of fields that a problem repeats at most. */
const SHOWN_FIELDS = 8;

/** Which fields a value has, which says what it is to somebody who knows formats. Their contents are not repeated. */
function whatIsThere(value: unknown): string {
  if (Array.isArray(value)) return "found a list";
  if (!isObject(value)) return `found ${value === null ? "null" : `a ${typeof value}`}`;
  const names = Object.keys(value).map((name) => `\`${name.slice(0, 40).replace(/[^\w .-]/g, "?")}\``);
  if (names.length === 0) return "found an object without fields";
  const more = names.length > SHOWN_FIELDS ? ` and ${names.length - SHOWN_FIELDS} more` : "";
  return `found ${names.slice(0, SHOWN_FIELDS).join(", ")}${more}`;
}

/** Finds the formats of a file's rows, and reads them: each by itself, or together with others that it belongs to. */
export class FileFormats {
  readonly #options: ReadOptions;
  /** The format that the file's last row had: most files have one. */
  #last: Format | undefined;
  readonly #parts = new Map<string, Parts>();
  #notes: Note[] = [];
  #problems: Note[] = [];
  #found: FoundHere[] = [];

  constructor(options: ReadOptions) {
    this.#options = options;
    this.#last = options.format;
  }

  takeNotes(): Note[] {
    return this.#notes.splice(0);
  }

  takeProblems(): Note[] {
    return this.#problems.splice(0);
  }

  takeConversations(): FoundHere[] {
    return this.#found.splice(0);
  }

  /** Takes a row of the file. */
  add({ line, text }: RowText): void {
    const parsed = parseRow(text);
    if ("reason" in parsed) return void this.#problems.push({ line, reason: parsed.reason });
    if (parsed.note !== undefined) this.#notes.push({ line, reason: parsed.note });
    this.#addValue(parsed.value, line, text.length);
  }

  /** Says that the file is at its end. */
  end(): void {
    for (const { format, line, values, length } of this.#parts.values())
      this.#read(format, values, line, length);
    this.#parts.clear();
  }

  #formatOf(value: unknown): Format | undefined {
    const { format } = this.#options;
    if (format !== undefined) return format;
    // What is part of a recording may look like anything else.
    const last = this.#last;
    if (last !== undefined && (last.partOf !== undefined || last.recognizes(value))) return last;
    return formatOf(value);
  }

  #addValue(value: unknown, line: number, length: number): void {
    const format = this.#formatOf(value);
    if (format === undefined) {
      if (Array.isArray(value) && value.length > 0) {
        const share = Math.ceil(length / Math.max(1, value.length));
        for (const item of value as unknown[]) this.#addValue(item, line, share);
        return;
      }
      const reason = `no known format: no \`messages\`; ${whatIsThere(value)}`;
      return void this.#problems.push({ line, reason });
    }
    this.#last = format;
    if (format.partOf === undefined) {
      this.#read(format, [value], line, length);
      return;
    }
    const name = `${format.name} ${format.partOf(value)}`;
    const parts = this.#parts.get(name) ?? { format, line, values: [], length: 0 };
    this.#parts.set(name, parts);
    parts.length += length;
    if (parts.length <= MAX_RECORDING_LENGTH) parts.values.push(value);
    else if (parts.values.length > 0) {
      parts.values = [];
      const reason = `one recording is longer than ${MAX_RECORDING_LENGTH} characters`;
      this.#problems.push({ line: parts.line, reason });
    }
  }

  #read(format: Format, values: readonly unknown[], line: number, length: number): void {
    if (values.length === 0) return;
    const told = new Set<string>();
    const note = (reason: string): void => {
      if (told.has(reason)) return;
      told.add(reason);
      this.#notes.push({ line, reason });
    };
    const read = format.read(values, { note, timeOf: this.#timeOf(note) });
    if (typeof read === "string") return void this.#problems.push({ line, reason: read });
    const share = Math.ceil(length / Math.max(1, read.length));
    for (const conversation of read) this.#found.push({ line, format, conversation, length: share });
  }

  #timeOf(note: (reason: string) => void): ReadingContext["timeOf"] {
    return (value, field) => {
      if (value === undefined || value === null || value === "") return undefined;
      const micros = microsOf(value, this.#options.timeZone);
      if (micros === undefined) note(`${field} is no time between 1970 and 2254: it is kept, and not used`);
      return micros;
    };
  }
}
