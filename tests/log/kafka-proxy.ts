import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** Between a client and a broker; it understands just enough of the protocol to lose one answer. */
export interface KafkaProxy extends AsyncDisposable {
  readonly port: number;
  /** How many produce requests went through. */
  readonly produced: number;
  /** How many connections clients made. */
  readonly connections: number;
  /**
   * Swallows the answer to the next produce request that gets one. The connection stays open (the client waits for its
   * timeout) or breaks.
   */
  loseNextAnswer(then: "silence" | "break"): Promise<void>;
  /** Breaks every connection and takes no new ones, until it is called again with false. */
  cut(off: boolean): void;
}

const PRODUCE = 0;

/** Starts a proxy on loopback in front of a broker's port. */
export async function startProxy(port: number, target: number): Promise<KafkaProxy> {
  const sockets = new Set<Socket>();
  let isCut = false;
  let produced = 0;
  let connections = 0;
  let losing: { then: "silence" | "break"; lost: () => void } | undefined;
  const server = createServer((client) => {
    if (isCut) return client.destroy();
    connections += 1;
    const broker = connect(target, "127.0.0.1");
    const doomed = new Set<number>();
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    onFrames(client, (frame) => {
      if (frame.readInt16BE(4) === PRODUCE) {
        produced += 1;
        if (losing !== undefined) doomed.add(frame.readInt32BE(8));
      }
      broker.write(frame);
    });
    onFrames(broker, (frame) => {
      if (losing === undefined || !doomed.has(frame.readInt32BE(4))) {
        client.write(frame);
        return;
      }
      const { then, lost } = losing;
      losing = undefined;
      if (then === "break") client.destroy();
      lost();
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    port,
    get produced() {
      return produced;
    },
    get connections() {
      return connections;
    },
    loseNextAnswer: (then) =>
      new Promise((resolve) => {
        losing = { then, lost: resolve };
      }),
    cut(off) {
      isCut = off;
      if (off) for (const socket of sockets) socket.destroy();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Calls back with every whole frame: four bytes of length, and that many more. */
function onFrames(socket: Socket, take: (frame: Buffer) => void): void {
  let pending = Buffer.alloc(0);
  socket.on("data", (data) => {
    pending = pending.length === 0 ? data : Buffer.concat([pending, data]);
    while (pending.length >= 4) {
      const length = 4 + pending.readInt32BE(0);
      if (pending.length < length) return;
      take(pending.subarray(0, length));
      pending = pending.subarray(length);
    }
  });
}
