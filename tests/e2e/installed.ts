import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);
const root = join(import.meta.dirname, "../..");

/** The package as a user has it: packed, and installed into a folder that knows nothing of this checkout. */
export interface Installed {
  /** The user's project. */
  readonly folder: string;
  /** What a user's shell would find programs by: the package's, then this Node. */
  readonly path: string;
  remove(): void;
}

/** Builds where the sources are newer, packs, and installs with what the registry or npm's cache has. */
export async function install(): Promise<Installed> {
  const home = mkdtempSync(join(tmpdir(), "atlas-e2e-"));
  const [packed, folder] = [join(home, "packed"), join(home, "project")];
  for (const each of [packed, folder]) mkdirSync(each);
  await execute(process.execPath, ["scripts/setup.mjs"], { cwd: root });
  await execute("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", packed], { cwd: root });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const tarball = join(packed, readdirSync(packed).find((name) => name.endsWith(".tgz"))!);
  await execute("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", tarball], { cwd: folder });
  return {
    folder,
    path: [join(folder, "node_modules/.bin"), dirname(process.execPath), "/usr/bin", "/bin"].join(":"),
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}
