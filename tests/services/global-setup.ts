import { CONTROL_URL, startControlServer } from "./control-server.ts";

/** Vitest calls this once for each project that needs services; the first one serves them all. */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env[CONTROL_URL] !== undefined) return undefined;
  const server = await startControlServer();
  process.env[CONTROL_URL] = server.url;
  return async () => {
    delete process.env[CONTROL_URL];
    await server.close();
  };
}
