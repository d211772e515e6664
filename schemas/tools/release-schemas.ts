import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkCompatibility } from "../compatibility.ts";
import { checkRules } from "../compatibility-rules.ts";
import { fingerprint } from "../fingerprint.ts";
import { assembleAll } from "./assemble.ts";
import { CHECKSUMS, RELEASED, readChecksums, readReleased, sha256 } from "./released.ts";

const released = readReleased();
const checksums = readChecksums();
mkdirSync(RELEASED, { recursive: true });
for (const [name, schema] of assembleAll()) {
  const versions = released.get(name) ?? [];
  const latest = versions.at(-1);
  if (latest !== undefined && fingerprint(latest.schema) === fingerprint(schema)) continue;
  const problems = [
    ...checkRules(name, schema),
    ...checkCompatibility(
      name,
      schema,
      versions.map((version) => version.schema),
    ),
  ];
  if (problems.length > 0) {
    for (const { problem } of problems) process.stderr.write(`${name}: ${problem}\n`);
    process.exitCode = 1;
    continue;
  }
  const file = `${name}.v${(latest?.version ?? 0) + 1}.avsc`;
  const text = `${JSON.stringify(schema, null, 2)}\n`;
  writeFileSync(join(RELEASED, file), text, { flag: "wx" });
  checksums[file] = sha256(text);
  process.stdout.write(`released ${file}\n`);
}
const sorted = Object.fromEntries(Object.entries(checksums).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(join(RELEASED, CHECKSUMS), `${JSON.stringify(sorted, null, 2)}\n`);
