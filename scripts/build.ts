// Compiles to dist/, copies what is read at run time, and prepares the embedded database's template.
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, globSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "..");
const run = (file: string, ...args: string[]): void => {
  execFileSync(process.execPath, [join(root, file), ...args], { cwd: root, stdio: "inherit" });
};

rmSync(join(root, "dist"), { recursive: true, force: true });
run("node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json");
for (const file of globSync("{log,projections}/**/*.sql", { cwd: root })) {
  mkdirSync(dirname(join(root, "dist", file)), { recursive: true });
  cpSync(join(root, file), join(root, "dist", file));
}
run("scripts/build-template.ts", "dist/database/embedded");
for (const bin of ["dist/cli/atlas.js", "dist/cli/arc-atlas.js"]) {
  if (existsSync(join(root, bin))) chmodSync(join(root, bin), 0o755);
}
writeFileSync(join(root, "dist/.built"), "");
