import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, utimesSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { openEmbedded } from "../../database/embedded/open-embedded.ts";
import { makeSocketFolder, socketFolder, socketIn } from "../../database/embedded/socket-folder.ts";
import { tidySockets } from "../../database/embedded/tidy-sockets.ts";
import { deadSocket } from "./dead-socket.ts";

const HOUR = 3_600_000;

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "atlas-tidy-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("the sockets of killed processes go; who listens, and who may be about to, keeps his", async () => {
  const home = temporary();
  const dead = await deadSocket(join(home, "dead"), HOUR);
  const starting = await deadSocket(join(home, "starting"), 0);
  const alive = socketFolder(join(home, "alive"));
  makeSocketFolder(alive);
  const server = createServer((socket) => socket.on("error", () => undefined));
  await once(server.listen(socketIn(alive)), "listening");
  utimesSync(alive, new Date(Date.now() - HOUR), new Date(Date.now() - HOUR));
  onTestFinished(() => {
    server.close();
    for (const folder of [dead, starting, alive]) rmSync(folder, { recursive: true, force: true });
  });
  await tidySockets(socketFolder(home));
  expect([dead, alive, starting].map((folder) => existsSync(folder))).toEqual([false, true, true]);
  expect(existsSync(socketIn(alive))).toBe(true);
});

test("the next opening of any folder does that", async () => {
  const home = temporary();
  const dead = await deadSocket(join(home, "dead"), HOUR);
  const db = await openEmbedded(home);
  await vi.waitFor(() => expect(existsSync(dead)).toBe(false), 20_000);
  expect((await db.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  await db.close();
});
