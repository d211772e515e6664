import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import { AtlasError, messageOf } from "../errors/atlas-error.ts";

/** Where something is that a module exports. */
export interface ModuleExport {
  /** Absolute, or the name of a package. */
  importPath: string;
  attribute: string;
}

const cannotLoad = (where: string, key: string, error: unknown): AtlasError =>
  new AtlasError("ATLAS_CONFIG_INVALID", `the module of ${key} cannot be loaded: ${messageOf(error)}`, {
    where,
    hint: `Check ${key}, and that the module loads by itself.`,
    cause: error,
  });

/**
 * Loads a module of the user's.
 *
 * @param key the configuration's key that names it, for whoever reads the error
 * @throws AtlasError ATLAS_CONFIG_INVALID
 * @example
 * await loadModule("/home/me/my-agent.mjs", "plugins[0]");
 */
export async function loadModule(path: string, key: string, where = path): Promise<Record<string, unknown>> {
  try {
    const specifier = isAbsolute(path) ? pathToFileURL(path).href : path;
    return (await import(specifier)) as Record<string, unknown>;
  } catch (error) {
    throw cannotLoad(where, key, error);
  }
}

/**
 * What a module of the user's exports under a name.
 *
 * @param block the configuration's block that names it, such as `agent`
 * @param what is looked for, in words
 * @throws AtlasError ATLAS_CONFIG_INVALID when the module cannot be loaded, or has no such export
 * @example
 * const found = await loadExport({ importPath, attribute: "default" }, "triage", "function");
 */
export async function loadExport(
  { importPath, attribute }: ModuleExport,
  block: string,
  what: string,
): Promise<unknown> {
  const where = `${importPath}#${attribute}`;
  const module = await loadModule(importPath, `${block}.import_path`, where);
  if (Object.hasOwn(module, attribute)) return module[attribute];
  throw new AtlasError("ATLAS_CONFIG_INVALID", `the module exports no ${what} of that name`, {
    where,
    hint: `It exports ${Object.keys(module).join(", ") || "nothing"}; name one of them in ${block}.attribute.`,
  });
}
