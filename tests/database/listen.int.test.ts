import { describe, expect, onTestFinished, test } from "vitest";
import type { Database } from "../../database/database.ts";
import { openEmbedded } from "../../database/embedded/open-embedded.ts";
import { openPostgres } from "../../database/pg-database.ts";
import { folderForTest } from "../app/opened.ts";
import { eventually } from "../eventually.ts";
import { startGate } from "../hostile/tcp-gate.ts";
import { missing, postgres } from "../services/services.ts";

const noServer = await missing("postgres");

async function twoHandles(kind: string): Promise<[Database, Database]> {
  const folder = folderForTest();
  const url = kind === "a server" ? (await postgres()).url : "";
  const open = async (): Promise<Database> => {
    const db = kind === "a server" ? await openPostgres(url) : await openEmbedded(folder);
    onTestFinished(() => db.close());
    return db;
  };
  return [await open(), await open()];
}

describe.each(noServer ? ["the embedded database"] : ["the embedded database", "a server"])(
  "on %s",
  (kind) => {
    test("everybody who listens hears what anybody notifies, and answers stay answers", async () => {
      const [one, other] = await twoHandles(kind);
      const heard: string[][] = [[], []];
      const listeners = [one, other].map((db, at) =>
        db.listen!("tested", (payload) => heard[at]!.push(payload)),
      );
      await eventually(() => expect(listeners.map(({ hears }) => hears)).toEqual([true, true]));
      const answer = await other.query<{ n: number }>(
        "select n, pg_notify('tested', 'x') from generate_series(1, 3) n",
      );
      expect(answer.rows.map(({ n }) => n)).toEqual([1, 2, 3]);
      await one.transaction(async (tx) => {
        await tx.query("select pg_notify('tested', 'y')");
        expect((await tx.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
      });
      await expect(
        one.transaction(async (tx) => {
          await tx.query("select pg_notify('tested', 'never')");
          throw new Error("rolled back");
        }),
      ).rejects.toThrow("rolled back");
      await other.query("select pg_notify('tested', 'z')");
      await eventually(() => {
        for (const payloads of heard)
          expect(payloads.filter((payload) => payload !== "")).toEqual(["x", "y", "z"]);
      });
      for (const listener of listeners) listener.close();
    });
  },
);

test.skipIf(noServer)("a listener whose connection broke says so, and hears again", async () => {
  const behind = new URL((await postgres()).url);
  await using gate = await startGate(Number(behind.port));
  behind.port = String(gate.port);
  const db = await openPostgres(behind.href);
  let heard = 0;
  const listener = db.listen!("broken", () => {
    heard += 1;
  });
  await eventually(() => expect(listener.hears).toBe(true));
  gate.shut();
  await eventually(() => expect(listener.hears).toBe(false));
  const before = heard;
  gate.open();
  await eventually(() => expect([listener.hears, heard > before]).toEqual([true, true]));
  await db.close();
});
