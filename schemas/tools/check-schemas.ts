import type { AvroRecord } from "../avro.ts";
import { checkCompatibility } from "../compatibility.ts";
import { checkRules, type SchemaProblem } from "../compatibility-rules.ts";
import { fingerprint } from "../fingerprint.ts";
import { assembleAll } from "./assemble.ts";
import { RELEASED, readChecksums, readReleased } from "./released.ts";

/** Checks released versions against their checksums, and current schemas against every released version. */
export function checkSchemas(
  current: Map<string, AvroRecord> = assembleAll(),
  folder = RELEASED,
): SchemaProblem[] {
  const problems: SchemaProblem[] = [];
  const checksums = readChecksums(folder);
  const released = readReleased(folder);
  const files = [...released.values()].flat();
  for (const file of files) {
    if (checksums[file.file] !== file.sha256)
      problems.push({ schema: file.name, problem: `${file.file} was edited after its release` });
  }
  for (const file of Object.keys(checksums)) {
    if (!files.some((known) => known.file === file))
      problems.push({ schema: file, problem: `${file} was released and is gone` });
  }
  for (const [name, schema] of current) {
    for (const problem of checkRules(name, schema)) problems.push(problem);
    const versions = released.get(name) ?? [];
    const schemas = versions.map((version) => version.schema);
    for (const problem of checkCompatibility(name, schema, schemas)) problems.push(problem);
    for (const [index, version] of versions.entries()) {
      const earlier = schemas.slice(0, index);
      for (const problem of checkCompatibility(`${name} version ${version.version}`, version.schema, earlier))
        problems.push(problem);
    }
    const latest = versions.at(-1);
    if (latest === undefined || fingerprint(latest.schema) !== fingerprint(schema)) {
      problems.push({
        schema: name,
        problem: "differs from its latest released version; run `npm run schemas:release`",
      });
    }
  }
  for (const name of released.keys()) {
    if (!current.has(name))
      problems.push({ schema: name, problem: "was released and has no schema in schemas/events" });
  }
  return problems;
}

if (import.meta.main) {
  const problems = checkSchemas();
  for (const { schema, problem } of problems) process.stderr.write(`${schema}: ${problem}\n`);
  process.stdout.write(problems.length === 0 ? "schemas: compatible with every released version\n" : "");
  process.exitCode = problems.length === 0 ? 0 : 1;
}
