import type { AtlasConfig } from "../configs/config-schema.ts";
import { AtlasError } from "../errors/atlas-error.ts";
import type { Agent } from "../producers/agents/agent.ts";
import { registeredAgent } from "../producers/agents/agent-registry.ts";
import { type AgentFunction, functionAgent } from "../producers/agents/function-agent.ts";
import { httpAgent } from "../producers/agents/http-agent.ts";
import { type LanggraphGraph, langgraphAgent } from "../producers/agents/langgraph-agent.ts";
import { modelAgent } from "../producers/agents/model-agent.ts";
import { agentOf, type InvokableObject } from "../producers/agents/object-agent.ts";
import { configuredModel } from "./configured-model.ts";
import { loadExport, loadModule } from "./load-export.ts";

type AgentConfig = NonNullable<AtlasConfig["agent"]>;
type FunctionConfig = Extract<AgentConfig, { type: "function" }>;
type GraphConfig = Extract<AgentConfig, { type: "langgraph" }>;
type RegisteredConfig = Extract<AgentConfig, { type: "registered" }>;
type HttpConfig = Extract<AgentConfig, { type: "http" }>;

const hasMethod = (value: unknown, name: string): boolean =>
  typeof value === "object" &&
  value !== null &&
  typeof (value as Record<string, unknown>)[name] === "function";

const isAgent = (value: unknown): value is Agent =>
  hasMethod(value, "invoke") && typeof (value as { kind?: unknown }).kind === "string";

const wrongKind = ({ importPath, attribute }: FunctionConfig | GraphConfig, message: string, hint: string) =>
  new AtlasError("ATLAS_CONFIG_INVALID", message, { where: `${importPath}#${attribute}`, hint });

async function importedAgent(config: FunctionConfig): Promise<Agent> {
  const found = await loadExport(config, "agent", "function or agent");
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
  const found = await loadExport(config, "agent", "graph");
  if (!hasMethod(found, "invoke") && !hasMethod(found, "stream"))
    throw wrongKind(config, "the export is not a compiled graph", "Export what graph.compile() returns.");
  const { name, systemPrompt, options } = config;
  return langgraphAgent(found as LanggraphGraph, { name, systemPrompt, options });
}

function agentBehindHttp({ type: _, timeoutSeconds, retries, ...rest }: HttpConfig): Agent {
  const timeoutMs = timeoutSeconds === undefined ? undefined : timeoutSeconds * 1000;
  return httpAgent({ ...rest, timeoutMs, maxRetries: retries });
}

/** Asks the factory that a module under `plugins` registered. */
async function agentOfKind({ kind, settings }: RegisteredConfig): Promise<Agent> {
  const factory = registeredAgent(kind);
  if (factory === undefined) {
    throw new AtlasError(
      "ATLAS_CONFIG_INVALID",
      `no module under plugins registers agents of the kind ${kind}`,
      {
        where: "agent.type",
        hint: `Call registerAgent("${kind}", factory) in one of them.`,
      },
    );
  }
  const made: unknown = await factory(settings);
  if (isAgent(made)) return made;
  throw new AtlasError("ATLAS_CONFIG_INVALID", `the factory of the kind ${kind} made no agent`, {
    where: "agent.type",
    hint: "Return what defineAgent returns.",
  });
}

/**
 * The agent of a configuration, after the modules that may register its kind.
 *
 * @throws AtlasError ATLAS_CONFIG_INVALID when a module cannot be loaded, or exports something else
 * @example
 * const agent = await configuredAgent(config.agent, config.plugins);
 */
export async function configuredAgent(config: AgentConfig, plugins: readonly string[] = []): Promise<Agent> {
  for (const [at, path] of plugins.entries()) await loadModule(path, `plugins[${at}]`);
  switch (config.type) {
    case "function":
      return importedAgent(config);
    case "langgraph":
      return importedGraph(config);
    case "http":
      return agentBehindHttp(config);
    case "registered":
      return agentOfKind(config);
    default: {
      const { type, name, systemPrompt, ...model } = config;
      return modelAgent(configuredModel({ provider: type, ...model }), { name, systemPrompt });
    }
  }
}
