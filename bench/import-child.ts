// Imports a file into an empty embedded log, as the command does when it was built, and tells the processor time of it.
import { parseArgs } from "node:util";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { derive: { type: "boolean", default: false } },
});
const [path, file] = positionals as [string, string];
const built = (module: string): string => new URL(`../dist/${module}`, import.meta.url).href;

const { compileOnce } = (await import(
  built("cli/compile-once.js")
)) as typeof import("../cli/compile-once.ts");
const { openConfigured } = (await import(
  built("app/open-atlas.js")
)) as typeof import("../app/open-atlas.ts");
const { loadConfig } = (await import(
  built("configs/load-config.js")
)) as typeof import("../configs/load-config.ts");
compileOnce();
const config = loadConfig({ log: { kind: "embedded", path } }, {});
const atlas = await openConfigured(config, { consumers: values.derive ? "when-behind" : false });
const { events } = await atlas.sessions.import({ files: [file], learningKey: "bench" });
if (values.derive) await atlas.settled();
await atlas.close();
const { user, system } = process.cpuUsage();
process.stdout.write(JSON.stringify({ events, seconds: (user + system) / 1e6 }));
