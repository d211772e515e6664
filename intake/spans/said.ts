import type { ToolDefinition } from "../chat/tool-definitions.ts";

/** What a call of a model was asked and answered, in whatever dialect it was written. */
export interface Said {
  asked?: unknown[] | undefined;
  answered?: unknown[] | undefined;
  tools?: ToolDefinition[] | undefined;
  /** The system prompt, where it stands beside the messages. */
  instructions?: unknown;
}

/** JSON text as what it holds; anything else as it is. */
export function parsedText(value: unknown): unknown {
  if (typeof value !== "string" || !/^\s*[[{"]/.test(value)) return value;
  try {
    const parsed = JSON.parse(value) as unknown;
    return typeof parsed === "string" ? parsedText(parsed) : parsed;
  } catch {
    return value;
  }
}

/** Several ways to tell the same: the first that tells something counts, for each part by itself. */
export function firstSaid(all: readonly Said[]): Said {
  const first = <K extends keyof Said>(key: K): Said[K] =>
    all.map((said) => said[key]).find((found) => (Array.isArray(found) ? found.length > 0 : found != null));
  return {
    asked: first("asked"),
    answered: first("answered"),
    tools: first("tools"),
    instructions: first("instructions"),
  };
}
