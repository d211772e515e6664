// Imports a file into an empty embedded log, as it was built, and tells what processor time the process took.
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
const { openAtlas } = (await import(built("app/open-atlas.js"))) as typeof import("../app/open-atlas.ts");
compileOnce();
const atlas = await openAtlas({ log: { kind: "embedded", path } }, { consumers: values.derive });
const { events } = await atlas.sessions.import({ files: [file], learningKey: "bench" });
if (values.derive) await atlas.settled();
await atlas.close();
const { user, system } = process.cpuUsage();
process.stdout.write(JSON.stringify({ events, seconds: (user + system) / 1e6 }));
