import { CONTROL_URL } from "./control-server.ts";

/**
 * Notes what is not run on this machine, and why. The run names all of it in one line at its end.
 *
 * @param why as in "reading with Arrow: python3 with venv is not installed"
 */
export async function notRun(why: string): Promise<void> {
  const url = process.env[CONTROL_URL];
  if (url === undefined) console.warn(`Not run here: ${why}.`);
  else await fetch(`${url}/not-run`, { method: "POST", body: why });
}
