/** The few parts of Postgres' wire protocol (version 3) that a server in front of PGlite has to know itself. */

const PROTOCOL_MAJOR = 3;
const CANCEL_REQUEST = 80877102;
const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const LARGEST = 1024 ** 3;

const [QUERY, FUNCTION_CALL, SYNC, TERMINATE, DATA_ROW, NOTIFICATION] = [..."QFSXDA"].map((letter) =>
  letter.charCodeAt(0),
);

/** What {@link FrontendMessages} finds in the bytes of one client. */
export interface MessageHandlers {
  /** Bytes to answer with before the session starts. */
  reply(bytes: Uint8Array): void;
  /** The client asked for a session. */
  greet(): void;
  /** Messages that belong together: a simple query, or extended ones up to their Sync. */
  unit(bytes: Uint8Array): void;
  /** The client said goodbye. */
  end(): void;
  /** These bytes are not the protocol. */
  invalid(): void;
}

/** Cuts the bytes of one client into messages and joins these to units. */
export class FrontendMessages {
  private readonly handlers: MessageHandlers;
  private chunks: Buffer[] = [];
  private size = 0;
  /** Bytes until the next message is whole: a large one is joined once, not at each of its chunks. */
  private needed = 1;
  private started = false;
  private parts: Buffer[] = [];

  constructor(handlers: MessageHandlers) {
    this.handlers = handlers;
  }

  push(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.size += chunk.length;
    if (this.size < this.needed) return;
    let rest = this.chunks.length === 1 ? chunk : Buffer.concat(this.chunks);
    for (;;) {
      const length = this.lengthOf(rest);
      if (length === undefined) {
        this.handlers.invalid();
        return;
      }
      this.needed = length;
      if (rest.length < length) break;
      const message = rest.subarray(0, length);
      rest = rest.subarray(length);
      if (this.started) this.message(message);
      else this.untyped(message);
    }
    this.chunks = [rest];
    this.size = rest.length;
  }

  /** Length of the first message, or of its header where that is not whole. */
  private lengthOf(bytes: Buffer): number | undefined {
    const header = this.started ? 5 : 8;
    if (bytes.length < header) return header;
    const length = this.started ? bytes.readInt32BE(1) + 1 : bytes.readInt32BE(0);
    return length < header || length > LARGEST ? undefined : length;
  }

  private untyped(message: Buffer): void {
    const code = message.readInt32BE(4);
    if (code === SSL_REQUEST || code === GSS_REQUEST) this.handlers.reply(Buffer.from("N"));
    else if (code === CANCEL_REQUEST) this.handlers.end();
    else if (code >> 16 !== PROTOCOL_MAJOR) this.handlers.invalid();
    else {
      this.started = true;
      this.handlers.greet();
    }
  }

  private message(message: Buffer): void {
    const type = message[0];
    if (type === TERMINATE) this.handlers.end();
    else this.parts.push(message);
    if (type !== QUERY && type !== SYNC && type !== FUNCTION_CALL) return;
    const unit = this.parts.length === 1 ? message : Buffer.concat(this.parts);
    this.parts = [];
    this.handlers.unit(unit);
  }
}

const text = (...values: readonly string[]): Buffer =>
  Buffer.from(values.map((value) => `${value}\0`).join(""));

function frame(type: string, ...body: readonly Buffer[]): Buffer {
  const content = Buffer.concat(body);
  const head = Buffer.alloc(type.length + 4, type);
  head.writeInt32BE(content.length + 4, type.length);
  return Buffer.concat([head, content]);
}

/** A simple query. */
export const query = (sql: string): Buffer => frame("Q", text(sql));

/** The first message of a session. */
export function startup(parameters: Readonly<Record<string, string>>): Buffer {
  const version = Buffer.alloc(4);
  version.writeInt32BE(PROTOCOL_MAJOR << 16);
  return frame("", version, text(...Object.entries(parameters).flat(), ""));
}

/** An error that ends the session. */
export const fatalError = (sqlstate: string, message: string): Buffer =>
  frame("E", text("SFATAL", "VFATAL", `C${sqlstate}`, `M${message}`, ""));

/** Why Postgres cannot go on, where it says so: no ReadyForQuery will follow. */
export function downReason(answer: Buffer): string | undefined {
  for (const severity of ["FATAL", "PANIC"]) {
    const at = answer.indexOf(`S${severity}\0V${severity}\0C`, 0, "latin1");
    if (at < 0) continue;
    const fields = answer.toString("utf8", at).split("\0");
    return `${severity}: ${fields.find((field) => field.startsWith("M"))?.slice(1)}`;
  }
  return undefined;
}

/** Longer answers are not those of a statement that notifies. */
const LONGEST_NOTIFYING = 64 * 1024;

/** Takes the notifications out of an answer: they are for everybody. */
export function withoutNotifications(answer: readonly Buffer[]): {
  answer: readonly Buffer[];
  notifications: Buffer[];
} {
  const notifications: Buffer[] = [];
  const length = answer.reduce((sum, part) => sum + part.length, 0);
  if (length > LONGEST_NOTIFYING) return { answer, notifications };
  const whole = Buffer.concat(answer);
  const rest: Buffer[] = [];
  for (let at = 0; at + 5 <= whole.length; ) {
    const end = at + 1 + whole.readInt32BE(at + 1);
    (whole[at] === NOTIFICATION ? notifications : rest).push(whole.subarray(at, end));
    at = end;
  }
  return { answer: notifications.length === 0 ? answer : rest, notifications };
}

/** Whether messages of a client may be a LISTEN: those are short. */
export const mayListen = (unit: Uint8Array): boolean =>
  unit.length < 512 && /\blisten\b/i.test(Buffer.from(unit).toString("latin1"));

/** The rows of an answer to a simple query, every value as text. */
export function rowsOf(answer: Buffer): string[][] {
  const rows: string[][] = [];
  for (let at = 0; at < answer.length; at += 1 + answer.readInt32BE(at + 1)) {
    if (answer[at] !== DATA_ROW) continue;
    const row: string[] = [];
    for (let left = answer.readInt16BE(at + 5), value = at + 7; left > 0; left -= 1) {
      const length = Math.max(0, answer.readInt32BE(value));
      row.push(answer.toString("utf8", value + 4, value + 4 + length));
      value += 4 + length;
    }
    rows.push(row);
  }
  return rows;
}
