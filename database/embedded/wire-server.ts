import { createServer, type Socket } from "node:net";
import type { Session } from "./session.ts";
import {
  FrontendMessages,
  fatalError,
  mayListen,
  query,
  startup,
  withoutNotifications,
} from "./wire-messages.ts";

/*
 * Serves one PGlite to several clients on a unix socket. They share PGlite's only session, so what must not be torn
 * apart has to reach it in one piece: not single messages, but all up to a query's end or a Sync. Then two clients'
 * unnamed statements cannot mix, a failed Parse skips nobody else's messages, and of a client that dies in between
 * nothing ran. While a transaction is open only its client is served; if that goes away, it is rolled back at once.
 * (@electric-sql/pglite-socket takes turns message by message, and stops for good after one error.)
 */

/** How long an open transaction may do nothing while others wait for it: its process may be stopped. */
const IDLE_IN_TRANSACTION_MS = 15_000;

interface Turn {
  socket: Socket;
  unit: Uint8Array;
}

/** A running server. */
export interface WireServer {
  /** Lets what runs finish, disconnects everybody, and rolls back what was open. */
  stop(): Promise<void>;
}

/** What a server is made of. */
export interface WireServerOptions {
  session: Session;
  /** Where to listen; nothing may be there. */
  path: string;
  /** Called between transactions, with the bytes received since; nothing else runs until it is done. */
  between(bytes: number): Promise<void>;
  /** How long an open transaction may do nothing while others wait, in milliseconds; 15,000 unless told. */
  idleInTransactionMs?: number;
  /** The session failed and cannot be used any more. */
  onBroken(error: unknown): void;
}

/** Listens on a unix socket and serves the session until stopped. */
export async function serve(options: WireServerOptions): Promise<WireServer> {
  const { session, path, between, onBroken, idleInTransactionMs = IDLE_IN_TRANSACTION_MS } = options;
  const sockets = new Set<Socket>();
  let turns: Turn[] = [];
  let owner: Socket | undefined;
  let running: Promise<void> | undefined;
  let idle: NodeJS.Timeout | undefined;
  let stopping = false;
  /** Somebody asked for notifications. They come with the answer to whoever notified, and are passed on to everybody. */
  let listened = false;

  /** The next in line; while a transaction is open, of its client only. */
  const next = (): Turn | undefined => {
    const index = owner === undefined ? 0 : turns.findIndex(({ socket }) => socket === owner);
    return turns.splice(index, index < 0 ? 0 : 1)[0];
  };

  const busy = (): void => {
    clearTimeout(idle);
    idle = undefined;
  };

  const work = async (): Promise<void> => {
    while (!stopping) {
      if (owner !== undefined && !sockets.has(owner)) {
        busy();
        await session.run(query("rollback"));
        owner = undefined;
      }
      const turn = next();
      if (turn === undefined) break;
      busy();
      const { socket, unit } = turn;
      listened ||= mayListen(unit);
      const given = await session.run(unit, (last) => socket.write(last));
      owner = session.inTransaction() ? socket : undefined;
      const { answer, notifications } = listened
        ? withoutNotifications(given)
        : { answer: given, notifications: [] };
      socket.cork();
      for (const bytes of answer) socket.write(bytes);
      socket.uncork();
      for (const notification of notifications) for (const each of sockets) each.write(notification);
      if (owner === undefined) await between(unit.length);
    }
    // Whoever else comes to wait does not give the owner more time.
    if (owner !== undefined && turns.length > 0) idle ??= setTimeout(evict, idleInTransactionMs, owner);
  };

  const pump = (): void => {
    if (stopping) return;
    running ??= work()
      .catch(onBroken)
      .finally(() => {
        running = undefined;
      });
  };

  const leave = (socket: Socket): void => {
    sockets.delete(socket);
    turns = turns.filter((turn) => turn.socket !== socket);
    pump();
  };

  const evict = (socket: Socket): void => {
    const seconds = idleInTransactionMs / 1000;
    socket.end(
      fatalError("25P03", `the transaction did nothing for ${seconds} s while others waited for it`),
    );
    leave(socket);
  };

  // Every client is greeted alike, so that connecting neither waits for a transaction nor changes the session.
  const greeting = Buffer.concat(await session.run(startup({ user: "postgres", database: "postgres" })));

  const accept = (socket: Socket): void => {
    sockets.add(socket);
    const messages = new FrontendMessages({
      reply: (bytes) => socket.write(bytes),
      greet: () => socket.write(greeting),
      unit: (unit) => {
        if (!sockets.has(socket)) return;
        turns.push({ socket, unit });
        pump();
      },
      end: () => socket.end(),
      invalid: () => socket.destroy(),
    });
    socket.on("data", (chunk) => messages.push(chunk));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => leave(socket));
  };

  const server = createServer(accept);
  await new Promise<void>((resolve, reject) => {
    server.on("error", reject);
    server.listen(path, resolve);
  });

  return {
    async stop() {
      stopping = true;
      busy();
      const closed = new Promise((resolve) => server.close(resolve));
      await running;
      for (const socket of sockets) socket.destroy();
      await closed;
      if (session.inTransaction()) await session.run(query("rollback"));
    },
  };
}
