import { type FileHandle, mkdir, open, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { murmur2 } from "../../schemas/partition.ts";

/** A stored event of a session. */
export interface SpilledRecord {
  fingerprint: string;
  body: Buffer;
}

/** A session's records: those of one topic in the order of the log. */
export interface SpilledSession {
  sessionId: string;
  records: SpilledRecord[];
}

const BUCKETS = 16;
const BUCKET_BITS = 4;
/** What is brought into memory at a time, unless one session alone is larger. */
const BUCKET_BYTES = 16 * 1024 * 1024;
/** Deeper there are no bits of the hash left to divide by. */
const DEEPEST = 7;
const FLUSH_BYTES = 256 * 1024;
const CHUNK_BYTES = 1024 * 1024;

const U32 = 4;

/** Lengths first: of the whole, of the id and of the fingerprint. */
function frameOf(sessionId: string, { fingerprint, body }: SpilledRecord): Buffer[] {
  const id = Buffer.from(sessionId);
  const print = Buffer.from(fingerprint);
  const head = Buffer.alloc(3 * U32);
  head.writeUInt32LE(id.length + print.length + body.length, 0);
  head.writeUInt32LE(id.length, U32);
  head.writeUInt32LE(print.length, 2 * U32);
  return [head, id, print, body];
}

interface Frame extends SpilledRecord {
  sessionId: string;
  bytes: number;
}

/** The frame at a place, if all of it is there. */
function frameAt(buffer: Buffer, at: number): Frame | undefined {
  if (at + 3 * U32 > buffer.length) return undefined;
  const content = at + 3 * U32;
  const end = content + buffer.readUInt32LE(at);
  if (end > buffer.length) return undefined;
  const idEnd = content + buffer.readUInt32LE(at + U32);
  const printEnd = idEnd + buffer.readUInt32LE(at + 2 * U32);
  return {
    sessionId: buffer.toString("utf8", content, idEnd),
    fingerprint: buffer.toString("utf8", idEnd, printEnd),
    body: buffer.subarray(printEnd, end),
    bytes: end - at,
  };
}

function* framesOf(buffer: Buffer): Generator<Frame> {
  let at = 0;
  for (let frame = frameAt(buffer, at); frame !== undefined; frame = frameAt(buffer, at)) {
    yield frame;
    at += frame.bytes;
  }
}

/** A file of frames that grows at its end. */
export class FrameFile {
  private readonly file: FileHandle;
  private pending: Buffer[] = [];
  private waiting = 0;
  /** How long it is, with what waits to be written. */
  bytes = 0;

  private constructor(file: FileHandle) {
    this.file = file;
  }

  static async create(path: string): Promise<FrameFile> {
    return new FrameFile(await open(path, "wx+", 0o600));
  }

  async add(sessionId: string, record: SpilledRecord): Promise<void> {
    for (const part of frameOf(sessionId, record)) {
      this.pending.push(part);
      this.waiting += part.length;
      this.bytes += part.length;
    }
    if (this.waiting >= FLUSH_BYTES) await this.flush();
  }

  async flush(): Promise<void> {
    const buffer = Buffer.concat(this.pending);
    this.pending = [];
    this.waiting = 0;
    if (buffer.length > 0) await this.file.writeFile(buffer);
  }

  /** The records of a stretch that was added and flushed. */
  async read(position: number, length: number): Promise<SpilledRecord[]> {
    const buffer = Buffer.alloc(length);
    await this.file.read(buffer, 0, length, position);
    return [...framesOf(buffer)];
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

/** Reads frames in bounded memory. */
async function* framesIn(path: string): AsyncGenerator<Frame> {
  const file = await open(path, "r");
  try {
    let rest: Buffer = Buffer.alloc(0);
    for (;;) {
      const chunk = Buffer.alloc(Math.max(CHUNK_BYTES, rest.length));
      const { bytesRead } = await file.read(chunk, 0, chunk.length);
      if (bytesRead === 0) return;
      const buffer = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
      let used = 0;
      for (const frame of framesOf(buffer)) {
        yield frame;
        used += frame.bytes;
      }
      rest = buffer.subarray(used);
    }
  } finally {
    await file.close();
  }
}

/**
 * Records by session, on disk: whatever their order was, they come back one session after the other. Memory holds
 * sixteen megabytes of them at a time, or one session where that is larger.
 */
export class SessionSpill {
  private readonly folder: string;
  private readonly depth: number;
  private readonly buckets: FrameFile[];

  private constructor(folder: string, depth: number, buckets: FrameFile[]) {
    this.folder = folder;
    this.depth = depth;
    this.buckets = buckets;
  }

  /** @param folder a new one, for nothing else */
  static async create(folder: string, depth = 0): Promise<SessionSpill> {
    await mkdir(folder, { mode: 0o700 });
    const buckets: FrameFile[] = [];
    for (let index = 0; index < BUCKETS; index += 1)
      buckets.push(await FrameFile.create(join(folder, String(index))));
    return new SessionSpill(folder, depth, buckets);
  }

  async add(sessionId: string, record: SpilledRecord): Promise<void> {
    const hash = murmur2(Buffer.from(sessionId)) >>> (this.depth * BUCKET_BITS);
    await this.buckets[hash % BUCKETS]!.add(sessionId, record);
  }

  /** Closes the files; nothing can be added any more. */
  async close(): Promise<void> {
    for (const bucket of this.buckets) {
      await bucket.flush();
      await bucket.close();
    }
  }

  /** The sessions, once; what was read is gone from the disk. */
  async *sessions(): AsyncGenerator<SpilledSession> {
    await this.close();
    for (const index of this.buckets.keys()) {
      const path = join(this.folder, String(index));
      const { size } = await stat(path);
      if (size > BUCKET_BYTES && this.depth < DEEPEST) yield* this.divided(path);
      else yield* wholeSessions(await readFile(path));
      await rm(path);
    }
  }

  private async *divided(path: string): AsyncGenerator<SpilledSession> {
    const smaller = await SessionSpill.create(`${path}.d`, this.depth + 1);
    for await (const { sessionId, fingerprint, body } of framesIn(path))
      await smaller.add(sessionId, { fingerprint, body });
    yield* smaller.sessions();
  }
}

function* wholeSessions(buffer: Buffer): Generator<SpilledSession> {
  const bySession = new Map<string, SpilledRecord[]>();
  for (const { sessionId, fingerprint, body } of framesOf(buffer)) {
    const records = bySession.get(sessionId);
    if (records === undefined) bySession.set(sessionId, [{ fingerprint, body }]);
    else records.push({ fingerprint, body });
  }
  for (const [sessionId, records] of bySession) yield { sessionId, records };
}
