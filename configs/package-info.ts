import { readFileSync } from "node:fs";

/** Name and version of this package. */
export interface PackageInfo {
  name: string;
  version: string;
}

let info: PackageInfo | undefined;

/** Reads the package's own package.json: sources and `dist/` lie at different depths below it. */
export function packageInfo(): PackageInfo {
  for (const up of info === undefined ? ["../package.json", "../../package.json"] : []) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(up, import.meta.url), "utf8")) as PackageInfo;
      if (name === "atlas-sdk") info = { name, version };
    } catch {
      // It is at the other depth.
    }
  }
  return info ?? { name: "atlas-sdk", version: "0.0.0" };
}
