import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Stands between a client and a server, and can be shut. */
export interface TcpGate extends AsyncDisposable {
  readonly port: number;
  /** Breaks every connection and takes no new ones, until it is opened. */
  shut(): void;
  /** Leaves connections open, and takes new ones, but lets nothing through, until it is opened. */
  stall(): void;
  /** Takes what comes through the connections that are there and passes nothing on, for ever; new ones work. */
  freeze(): void;
  open(): void;
}

/** Starts a gate on loopback in front of a port. */
export async function startGate(target: number): Promise<TcpGate> {
  const sockets = new Set<Socket>();
  let isShut = false;
  let isStalled = false;
  const keep = (socket: Socket, other: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => {
      sockets.delete(socket);
      other.destroy();
    });
    if (!isStalled) socket.pipe(other);
  };
  const server = createServer((client) => {
    if (isShut) return void client.destroy();
    const behind = connect(target, "127.0.0.1");
    keep(client, behind);
    keep(behind, client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const shut = (): void => {
    isShut = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    shut,
    stall() {
      isStalled = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    freeze() {
      for (const socket of sockets) socket.unpipe().resume();
    },
    open() {
      // What waited in a stalled connection is out of step with its client.
      if (isStalled) for (const socket of sockets) socket.destroy();
      isShut = false;
      isStalled = false;
    },
    async [Symbol.asyncDispose]() {
      shut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
