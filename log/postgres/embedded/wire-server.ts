import { createServer, type Server, type Socket } from "node:net";
import type { PGlite } from "@electric-sql/pglite";

/*
 * Serves one PGlite to several clients over the Postgres wire protocol. PGlite has one session, so a client has it to
 * itself from its first statement to the end of its transaction. (@electric-sql/pglite-socket takes turns by single
 * protocol message: between Parse and Execute another client's may come in, and a client that dies while its BEGIN
 * runs blocks the others for good.)
 */

const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;
const QUERY = "Q".charCodeAt(0);
const SYNC = "S".charCodeAt(0);
const TERMINATE = "X".charCodeAt(0);

interface Client {
  socket: Socket;
  /** Received and not yet a whole group of messages. */
  received: Buffer;
  started: boolean;
  /** Groups that wait for their turn. */
  groups: Buffer[];
  gone: boolean;
}

/** A running server. */
export interface WireServer {
  /** Ends all connections, rolls back what was open, and stops listening. */
  close(): Promise<void>;
}

/** Cuts what was received into groups that must run without another client's messages between them. */
function takeGroups(client: Client): void {
  for (;;) {
    const { received } = client;
    if (!client.started) {
      if (received.length < 8) return;
      const length = received.readInt32BE(0);
      if (received.length < length) return;
      const code = received.readInt32BE(4);
      client.received = received.subarray(length);
      if (code === SSL_REQUEST || code === GSS_REQUEST) client.socket.write("N");
      else if (code === CANCEL_REQUEST) client.socket.end();
      else {
        client.started = true;
        client.groups.push(received.subarray(0, length));
      }
      continue;
    }
    const end = groupEnd(received);
    if (end === undefined) return;
    client.groups.push(received.subarray(0, end));
    client.received = received.subarray(end);
  }
}

/** Where the first group ends: a simple query, or extended ones up to their Sync. */
function groupEnd(received: Buffer): number | undefined {
  let at = 0;
  while (received.length - at >= 5) {
    const type = received[at];
    const end = at + 1 + received.readInt32BE(at + 1);
    if (end > received.length) return undefined;
    if (type === QUERY || type === SYNC || type === TERMINATE) return end;
    at = end;
  }
  return undefined;
}

/** Listens on a unix socket and serves the database until it is closed. */
export async function serve(db: PGlite, path: string): Promise<WireServer> {
  const clients = new Set<Client>();
  let owner: Client | undefined;
  let busy = false;
  let closing = false;

  const run = async (client: Client, group: Buffer): Promise<void> => {
    if (group[0] === TERMINATE && client.started) {
      client.socket.end();
      return;
    }
    try {
      const reply = await db.execProtocolRaw(group);
      if (!client.gone) client.socket.write(reply);
    } catch (error) {
      // The connection is of no use any more: its client sees a lost connection and tries again.
      client.socket.destroy(error as Error);
    }
    owner = db.isInTransaction() ? client : undefined;
  };

  const turn = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    for (;;) {
      if (owner?.gone) {
        await db.exec("ROLLBACK").catch(() => undefined);
        owner = undefined;
      }
      const next: Client | undefined = owner ?? [...clients].find((client) => client.groups.length > 0);
      const group = next?.groups.shift();
      if (next === undefined || group === undefined) break;
      // Whoever was served goes to the end of the line.
      clients.delete(next);
      clients.add(next);
      await run(next, group);
    }
    busy = false;
  };

  const leave = (client: Client): void => {
    client.gone = true;
    client.groups = [];
    clients.delete(client);
    if (!closing) void turn();
  };

  const server: Server = createServer((socket) => {
    const client: Client = { socket, received: Buffer.alloc(0), started: false, groups: [], gone: false };
    clients.add(client);
    let chunks: Buffer[] = [];
    let missing = 0;
    socket.on("data", (data) => {
      // A large message comes in many chunks: joining them once it is whole keeps this linear.
      chunks.push(data);
      missing -= data.length;
      if (missing > 0) return;
      client.received = Buffer.concat([client.received, ...chunks]);
      chunks = [];
      takeGroups(client);
      missing = missingBytes(client);
      void turn();
    });
    socket.on("error", () => leave(client));
    socket.on("close", () => leave(client));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  return {
    close: async () => {
      closing = true;
      for (const { socket } of clients) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      while (busy) await new Promise((resolve) => setImmediate(resolve));
      if (db.isInTransaction()) await db.exec("ROLLBACK").catch(() => undefined);
    },
  };
}

/** How many more bytes the message under way needs, where that is known. */
function missingBytes({ received, started }: Client): number {
  if (!started || received.length < 5) return 0;
  let at = 0;
  while (received.length - at >= 5) {
    const end = at + 1 + received.readInt32BE(at + 1);
    if (end > received.length) return end - received.length;
    at = end;
  }
  return 0;
}
