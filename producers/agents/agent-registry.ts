import { isForeignKind } from "../../configs/agent-schema.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import type { Agent } from "./agent.ts";

/** Makes an agent of the settings that a configuration gives it. */
export type AgentFactory = (settings: Readonly<Record<string, unknown>>) => Agent | Promise<Agent>;

const REGISTRY = Symbol.for("atlas-sdk.agents");

/** One for the process: a module of the user's may have loaded another copy of this package than the command line. */
const shared = globalThis as typeof globalThis & { [REGISTRY]?: Map<string, AgentFactory> };
shared[REGISTRY] ??= new Map();
const factories = shared[REGISTRY];

/**
 * Gives a kind of agent a name of one's own.
 *
 * @throws AtlasError ATLAS_CONFIG_INVALID when the name is one of Atlas's
 * @example
 * registerAgent("mine", ({ endpoint }) => defineAgent({ name: "mine", kind: "mine", invoke: ask(endpoint) }));
 */
export function registerAgent(kind: string, factory: AgentFactory): void {
  if (!isForeignKind(kind)) {
    throw new AtlasError("ATLAS_CONFIG_INVALID", `${kind} is a kind of agent already`, {
      hint: "Register it under another name.",
    });
  }
  factories.set(kind, factory);
}

/** The factory that was registered for a kind. */
export const registeredAgent = (kind: string): AgentFactory | undefined => factories.get(kind);
