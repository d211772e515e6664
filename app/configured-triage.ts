import { AtlasError, explain } from "../errors/atlas-error.ts";
import type { TriageAdapter } from "../producers/triage/triage.ts";
import { loadExport, type ModuleExport } from "./load-export.ts";

async function imported(config: ModuleExport): Promise<TriageAdapter> {
  const found = await loadExport(config, "triage", "triage adapter");
  if (typeof found === "function") return found as TriageAdapter;
  throw new AtlasError("ATLAS_CONFIG_INVALID", "the export is no function", {
    where: `${config.importPath}#${config.attribute}`,
    hint: "Export a function (task, metadata) => dossier; atlas triage init writes one.",
  });
}

/**
 * The triage adapter of a configuration. Where it cannot be loaded, a warning of the process says why, and so does
 * the dossier: the adapter that comes back throws, for the default one to describe the task.
 *
 * @example
 * const triage = await configuredTriage({ importPath: "/home/me/triage.mjs", attribute: "default" });
 */
export async function configuredTriage(config: ModuleExport): Promise<TriageAdapter> {
  try {
    return await imported(config);
  } catch (error) {
    const why = explain(error);
    process.emitWarning(`the default triage adapter describes tasks: ${why}`, { code: "ATLAS_TRIAGE" });
    return function notLoaded() {
      throw error;
    };
  }
}
