// Runs before `npm start` and `npm test`, with whatever Node is installed: fetches the dependencies (Node itself among
// them) and builds, each only where something is missing or older than what it is made from.
import { execSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
/** What is built, by its configuration, and what builds it. */
const SOURCES = [
  ...JSON.parse(readFileSync(join(root, "tsconfig.build.json"), "utf8")).include.map(
    (glob) => glob.split("/")[0],
  ),
  "scripts",
];

const time = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

function newest(path) {
  if (!existsSync(path)) return 0;
  if (!statSync(path).isDirectory()) return time(path);
  return readdirSync(path).reduce((latest, name) => Math.max(latest, newest(join(path, name))), 0);
}

function step(what, command) {
  process.stderr.write(`${what}\n`);
  try {
    execSync(command, { cwd: root, stdio: ["ignore", "ignore", "pipe"], env: process.env });
  } catch (error) {
    process.stderr.write(
      `${error.stderr ?? error.message}\n${command} failed; run it by hand to see more.\n`,
    );
    process.exit(1);
  }
}

if (time(join(root, "node_modules/.package-lock.json")) < time(join(root, "package-lock.json"))) {
  step("Fetching dependencies …", "npm ci --no-audit --no-fund");
}
if (
  time(join(root, "dist/.built")) <
  Math.max(...SOURCES.map((folder) => newest(join(root, folder))), time(join(root, "package.json")))
) {
  step("Building …", "npm run build");
}
