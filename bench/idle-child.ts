// Opens Atlas on an empty embedded log, as it was built, does nothing for a while, and tells the share of a core that this took.
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { host: { type: "boolean", default: false } },
});
const [path, windows, seconds] = positionals as [string, string, string];
const built = (module: string): string => new URL(`../dist/${module}`, import.meta.url).href;

const { openConfigured } = (await import(
  built("app/open-atlas.js")
)) as typeof import("../app/open-atlas.ts");
const { loadConfig } = (await import(
  built("configs/load-config.js")
)) as typeof import("../configs/load-config.ts");
const atlas = await openConfigured(loadConfig({ log: { kind: "embedded", path } }, {}), {
  consumers: values.host,
});
await atlas.settled();
const shares: number[] = [];
for (let window = 0; window < Number(windows); window += 1) {
  const before = process.cpuUsage();
  const begun = performance.now();
  await sleep(Number(seconds) * 1000);
  const { user, system } = process.cpuUsage(before);
  shares.push((user + system) / 10 / (performance.now() - begun));
}
await atlas.close();
process.stdout.write(JSON.stringify(shares));
