import { AtlasError } from "../../errors/atlas-error.ts";
import type { Agent } from "./agent.ts";

/** Makes an agent of the settings that a configuration gives it. */
export type AgentFactory = (settings: Readonly<Record<string, unknown>>) => Agent | Promise<Agent>;

const factories = new Map<string, AgentFactory>();
const BUILT_IN = new Set(["openai", "anthropic", "gemini", "http", "function", "langgraph"]);

/**
 * Gives a kind of agent a name of one's own.
 *
 * @throws AtlasError ATLAS_CONFIG_INVALID when the name is one of Atlas's
 * @example
 * registerAgent("mine", ({ endpoint }) => defineAgent({ name: "mine", kind: "mine", invoke: ask(endpoint) }));
 */
export function registerAgent(kind: string, factory: AgentFactory): void {
  if (BUILT_IN.has(kind)) {
    throw new AtlasError("ATLAS_CONFIG_INVALID", `${kind} is a kind of agent already`, {
      hint: "Register it under another name.",
    });
  }
  factories.set(kind, factory);
}

/** The factory that was registered for a kind. */
export const registeredAgent = (kind: string): AgentFactory | undefined => factories.get(kind);
