import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import type { AtlasConfig } from "../configs/config-schema.ts";
import { AtlasError, messageOf } from "../errors/atlas-error.ts";
import type { Agent } from "../producers/agents/agent.ts";
import { type AgentFunction, functionAgent } from "../producers/agents/function-agent.ts";
import { httpAgent } from "../producers/agents/http-agent.ts";
import { type LanggraphGraph, langgraphAgent } from "../producers/agents/langgraph-agent.ts";
import { modelAgent } from "../producers/agents/model-agent.ts";
import { agentOf, type InvokableObject } from "../producers/agents/object-agent.ts";
import { configuredModel } from "./configured-model.ts";

type AgentConfig = NonNullable<AtlasConfig["agent"]>;
type FunctionConfig = Extract<AgentConfig, { type: "function" }>;
type GraphConfig = Extract<AgentConfig, { type: "langgraph" }>;
type HttpConfig = Extract<AgentConfig, { type: "http" }>;

const hasMethod = (value: unknown, name: string): boolean =>
  typeof value === "object" &&
  value !== null &&
  typeof (value as Record<string, unknown>)[name] === "function";

const isAgent = (value: unknown): value is Agent =>
  hasMethod(value, "invoke") && typeof (value as { kind?: unknown }).kind === "string";

/** What a module exports under a name. */
async function imported(
  { importPath, attribute }: FunctionConfig | GraphConfig,
  what: string,
): Promise<unknown> {
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
  if (Object.hasOwn(module, attribute)) return module[attribute];
  throw new AtlasError("ATLAS_CONFIG_INVALID", `the module exports no ${what} of that name`, {
    where,
    hint: `It exports ${Object.keys(module).join(", ") || "nothing"}; name one of them in agent.attribute.`,
  });
}

const wrongKind = ({ importPath, attribute }: FunctionConfig | GraphConfig, message: string, hint: string) =>
  new AtlasError("ATLAS_CONFIG_INVALID", message, { where: `${importPath}#${attribute}`, hint });

async function importedAgent(config: FunctionConfig): Promise<Agent> {
  const found = await imported(config, "function or agent");
  const { name } = config;
  if (isAgent(found)) return found;
  if (typeof found === "function")
    return functionAgent(found as AgentFunction, name === undefined ? {} : { name });
  if (["act", "invoke", "generate"].some((method) => hasMethod(found, method)))
    return agentOf(found as InvokableObject, name === undefined ? {} : { name });
  const hint = "Export a function, or what defineAgent returns; a LangGraph.js graph has the type langgraph.";
  throw wrongKind(config, "the export is neither a function nor an agent", hint);
}

async function importedGraph(config: GraphConfig): Promise<Agent> {
  const found = await imported(config, "graph");
  if (!hasMethod(found, "invoke") && !hasMethod(found, "stream"))
    throw wrongKind(config, "the export is not a compiled graph", "Export what graph.compile() returns.");
  const { name, systemPrompt, options } = config;
  return langgraphAgent(found as LanggraphGraph, { name, systemPrompt, options });
}

function agentBehindHttp({ type: _, timeoutSeconds, retries, ...rest }: HttpConfig): Agent {
  const timeoutMs = timeoutSeconds === undefined ? undefined : timeoutSeconds * 1000;
  return httpAgent({ ...rest, timeoutMs, maxRetries: retries });
}

/**
 * The agent of a configuration.
 *
 * @throws AtlasError ATLAS_CONFIG_INVALID when a module cannot be loaded, or exports something else
 */
export async function configuredAgent(config: AgentConfig): Promise<Agent> {
  switch (config.type) {
    case "function":
      return importedAgent(config);
    case "langgraph":
      return importedGraph(config);
    case "http":
      return agentBehindHttp(config);
    default: {
      const { type, name, systemPrompt, ...model } = config;
      return modelAgent(configuredModel({ provider: type, ...model }), { name, systemPrompt });
    }
  }
}
