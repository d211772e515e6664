import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { openProvision } from "./provision.ts";
import { ServiceUnavailable } from "./unavailable.ts";

/** Where test processes find the server: they inherit the environment of the process that runs them. */
export const CONTROL_URL = "ATLAS_TEST_CONTROL_URL";

/** What the server answers: the service's address, or why there is none. */
export type Answer = { ready: unknown } | { unavailable: string } | { failed: string };

/**
 * Lends one set of services to all the processes of a test run. A request for `/kafka`, `/registry` or `/postgres` starts
 * it when it is the first; `/database` makes a new one; `/not-run` takes a reason why something is skipped. Closing ends
 * it all, and names what was skipped in one line.
 */
export async function startControlServer(): Promise<{ url: string; close(): Promise<void> }> {
  const provision = openProvision(false);
  const offers: Record<string, () => Promise<unknown>> = {
    "/kafka": provision.brokers,
    "/registry": provision.schemaRegistryUrl,
    "/postgres": provision.server,
    "/database": provision.database,
  };
  const answer = async (path: string): Promise<Answer> => {
    const offer = offers[path];
    if (!offer) return { failed: `there is no ${path}` };
    try {
      return { ready: await offer() };
    } catch (error) {
      if (error instanceof ServiceUnavailable) return { unavailable: error.message };
      return { failed: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  };
  const missed = new Set<string>();
  const server = createServer(async (request, response) => {
    if (request.url === "/not-run") {
      missed.add(await text(request));
      response.end();
      return;
    }
    void answer(request.url ?? "/").then((body) => response.end(JSON.stringify(body)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      if (missed.size > 0) console.log(`Not run here: ${[...missed].sort().join("; ")}.`);
      await provision.close();
    },
  };
}
