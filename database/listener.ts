import type pg from "pg";
import { type Backoff, backoffMs } from "../errors/retry.ts";
import type { Listener } from "./database.ts";

const RECONNECT: Backoff = { firstMs: 100, longestMs: 5000 };

/**
 * Listens on a connection of its own, and again when that breaks. A pooler may take the command and pass nothing on: so
 * it counts only once a notification of its own has come back.
 *
 * @param connect a connection that does not keep the process alive
 * @param channel an identifier
 * @param heard called with the payload of each notification, and with an empty one after each gap in which some may have
 *   been missed
 */
export function listenOver(
  connect: () => Promise<pg.Client>,
  channel: string,
  heard: (payload: string) => void,
): Listener {
  let client: pg.Client | undefined;
  let hears = false;
  let closed = false;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;

  const again = (): void => {
    client = undefined;
    hears = false;
    if (closed) return;
    failures += 1;
    timer = setTimeout(() => void start(), backoffMs(RECONNECT, failures)).unref();
  };

  async function start(): Promise<void> {
    try {
      const connected = await connect();
      client = connected;
      if (closed) return void connected.end().catch(() => undefined);
      connected.on("error", () => undefined);
      connected.once("end", again);
      connected.on("notification", ({ payload = "" }) => {
        hears = true;
        failures = 0;
        heard(payload);
      });
      await connected.query(`listen ${channel}; notify ${channel}`);
    } catch {
      if (client === undefined) again();
      else void client.end().catch(() => undefined);
    }
  }

  void start();
  return {
    get hears() {
      return hears;
    },
    close() {
      closed = true;
      clearTimeout(timer);
      void client?.end().catch(() => undefined);
    },
  };
}
