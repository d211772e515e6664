import { spawn } from "node:child_process";
import { once } from "node:events";
import { utimesSync } from "node:fs";
import { makeSocketFolder, socketFolder, socketIn } from "../../database/embedded/socket-folder.ts";

/**
 * Makes what a killed holder leaves behind.
 *
 * @param home of the embedded log that it held
 * @param ageMs for how long it has lain there
 * @returns the socket's folder
 */
export async function deadSocket(home: string, ageMs: number): Promise<string> {
  const folder = socketFolder(home);
  makeSocketFolder(folder);
  const listen = `require("net").createServer().listen(${JSON.stringify(socketIn(folder))}, () => console.log("up"))`;
  const child = spawn(process.execPath, ["-e", listen], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "close");
  const at = new Date(Date.now() - ageMs);
  utimesSync(folder, at, at);
  return folder;
}
