import { AtlasError } from "../errors/atlas-error.ts";
import type { GuardedLogger } from "../logging/guard-logger.ts";
import { defaultLogger } from "../logging/process-warnings.ts";
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
 * The triage adapter of a configuration. Where it cannot be loaded, the logger is told why, and so is
 * the dossier: the adapter that comes back throws, for the default one to describe the task.
 *
 * @example
 * const triage = await configuredTriage({ importPath: "/home/me/triage.mjs", attribute: "default" });
 */
export async function configuredTriage(
  config: ModuleExport,
  logger: GuardedLogger = defaultLogger,
): Promise<TriageAdapter> {
  try {
    return await imported(config);
  } catch (error) {
    logger
      .of("triage")
      .warn({ code: "ATLAS_TRIAGE", err: error }, "the default triage adapter describes tasks");
    return function notLoaded() {
      throw error;
    };
  }
}
