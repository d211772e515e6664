import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import type { AtlasConfig } from "../configs/config-schema.ts";
import { AtlasError, messageOf } from "../errors/atlas-error.ts";
import type { Agent } from "../producers/agents/agent.ts";
import { type AgentFunction, functionAgent } from "../producers/agents/function-agent.ts";
import { openaiAgent } from "../producers/agents/openai-agent.ts";

type AgentConfig = NonNullable<AtlasConfig["agent"]>;
type FunctionConfig = Extract<AgentConfig, { type: "function" }>;

const isAgent = (value: unknown): value is Agent =>
  typeof value === "object" && value !== null && typeof (value as { invoke?: unknown }).invoke === "function";

async function importedAgent({ importPath, attribute, name }: FunctionConfig): Promise<Agent> {
  const where = `${importPath}#${attribute}`;
  let module: Record<string, unknown>;
  try {
    module = (await import(isAbsolute(importPath) ? pathToFileURL(importPath).href : importPath)) as Record<
      string,
      unknown
    >;
  } catch (error) {
    throw new AtlasError("ATLAS_CONFIG_INVALID", `the agent's module cannot be loaded: ${messageOf(error)}`, {
      where,
      hint: "Check agent.import_path, and that the module loads by itself.",
      cause: error,
    });
  }
  const found = module[attribute];
  if (isAgent(found)) return found;
  if (typeof found === "function")
    return functionAgent(found as AgentFunction, name === undefined ? {} : { name });
  throw new AtlasError("ATLAS_CONFIG_INVALID", "the module exports no function or agent of that name", {
    where,
    hint: `It exports ${Object.keys(module).join(", ") || "nothing"}; name one of them in agent.attribute.`,
  });
}

/**
 * The agent of a configuration.
 *
 * @throws AtlasError ATLAS_CONFIG_INVALID when a function's module cannot be loaded
 */
export async function configuredAgent(config: AgentConfig): Promise<Agent> {
  if (config.type === "function") return importedAgent(config);
  const { name, model, baseUrl, apiKeyEnv, systemPrompt, temperature, maxOutputTokens, timeoutSeconds } =
    config;
  return openaiAgent({
    name,
    model,
    baseUrl,
    apiKeyEnv,
    systemPrompt,
    temperature,
    maxTokens: maxOutputTokens,
    timeoutMs: timeoutSeconds === undefined ? undefined : timeoutSeconds * 1000,
  });
}
