import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * A loopback port that nothing listens on. Taken from below the range that systems hand out for outgoing
 * connections, so that a service which is killed finds its port still free when it comes back.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const server = createServer();
    try {
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
      return port;
    } catch {
      // Taken: draw again.
    } finally {
      server.close();
    }
  }
}
