import { existsSync, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { AtlasError } from "../../errors/atlas-error.ts";

/** A checkout of Atlas Core, and how its training is started. */
export interface CoreCheckout {
  path: string;
  /** What Python is given before the overrides. */
  entry: readonly string[];
  /** Variables that the entry needs. */
  env: Record<string, string>;
}

const PYTHONS = [join(".venv", "bin", "python"), join("venv", "bin", "python")];

/**
 * Finds the training entry of a checkout: `train.py`, or the module `atlas_core.cli.train` of its newer layout.
 *
 * @param path the checkout; `ATLAS_CORE_PATH` unless told
 * @throws AtlasError ATLAS_CORE_NOT_FOUND
 * @example
 * coreCheckout("../ATLAS").entry; // ["train.py"]
 */
export function coreCheckout(path = process.env.ATLAS_CORE_PATH): CoreCheckout {
  const hint =
    "Clone https://github.com/Arc-Computer/ATLAS, and name it with --atlas-core-path or ATLAS_CORE_PATH.";
  if (path === undefined || path === "") {
    throw new AtlasError("ATLAS_CORE_NOT_FOUND", "it is not known where Atlas Core is", { hint });
  }
  const root = resolve(path);
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new AtlasError("ATLAS_CORE_NOT_FOUND", "there is no such folder", { where: root, hint });
  }
  if (existsSync(join(root, "train.py"))) return { path: root, entry: ["train.py"], env: {} };
  if (existsSync(join(root, "src", "atlas_core", "cli", "train.py"))) {
    const others = process.env.PYTHONPATH;
    const search = [join(root, "src"), ...(others === undefined || others === "" ? [] : [others])];
    return {
      path: root,
      entry: ["-m", "atlas_core.cli.train"],
      env: { PYTHONPATH: search.join(delimiter) },
    };
  }
  throw new AtlasError(
    "ATLAS_CORE_NOT_FOUND",
    "it has neither train.py nor src/atlas_core/cli/train.py, so it is no checkout of Atlas Core",
    { where: root, hint },
  );
}

/** The Python of a checkout: its virtual environment's, else the active one's, else `python3`. */
export function pythonOf({ path }: CoreCheckout): string {
  const own = PYTHONS.map((python) => join(path, python)).find((python) => existsSync(python));
  if (own !== undefined) return own;
  const active = process.env.VIRTUAL_ENV;
  return active === undefined || active === "" ? "python3" : join(active, "bin", "python");
}
