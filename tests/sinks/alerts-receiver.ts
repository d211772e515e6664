import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A request that reached a destination. */
export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
  at: number;
}

/** A destination of alerts on loopback, until the test ends. */
export interface Receiver {
  url: string;
  received: Received[];
  keys: () => string[];
}

/**
 * Starts a destination.
 *
 * @param answer what it answers to its nth request, from 0; 204 unless told
 */
export async function startReceiver(
  answer: (response: ServerResponse, request: number) => void = (response) => response.writeHead(204).end(),
): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push({ headers: request.headers, body: Buffer.concat(chunks).toString("utf8"), at: Date.now() });
    answer(response, received.length - 1);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    keys: () => received.map(({ headers }) => String(headers["idempotency-key"])),
  };
}
