import { isObject } from "../../traces/clean-text.ts";

/** What a tool is, in the shape of OpenAI's chat API. What else its definition holds stays in it. */
export interface ToolDefinition {
  type: string;
  function?: { name: string; description?: unknown; parameters?: unknown; [extra: string]: unknown };
  [extra: string]: unknown;
}

const SCHEMAS = [
  "parameters",
  "input_schema",
  "inputSchema",
  "parametersJsonSchema",
  "parameters_json_schema",
] as const;

function ofFlat(value: Record<string, unknown>): ToolDefinition | undefined {
  const { type, name, ...rest } = value;
  if (typeof name !== "string") return undefined;
  const key = SCHEMAS.find((schema) => rest[schema] !== undefined);
  if (key === undefined && typeof type === "string" && type !== "function") return value as ToolDefinition;
  const { description, ...others } = rest;
  if (key !== undefined) delete others[key];
  return {
    type: "function",
    function: {
      name,
      ...(description !== undefined && { description }),
      ...(key !== undefined && { parameters: rest[key] }),
      ...others,
    },
  };
}

function definitionsOf(value: unknown): ToolDefinition[] {
  if (typeof value === "string") return [{ type: "function", function: { name: value } }];
  if (!isObject(value)) return [];
  if (isObject(value.function)) return typeof value.function.name === "string" ? [withType(value)] : [];
  const declared = value.functionDeclarations ?? value.function_declarations;
  if (Array.isArray(declared)) return (declared as unknown[]).flatMap(definitionsOf);
  if (isObject(value.custom) || value.type === "custom") return [value as ToolDefinition];
  const flat = ofFlat(value);
  if (flat !== undefined) return [flat];
  return typeof value.type === "string" ? [value as ToolDefinition] : [];
}

const withType = (value: Record<string, unknown>): ToolDefinition =>
  value.type === undefined ? { type: "function", ...value } : (value as ToolDefinition);

function parsed(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

/**
 * The tools that an agent was offered, from whatever shape they were recorded in: OpenAI's, nested or flat, legacy
 * functions, Anthropic's, Gemini's declarations, definitions by name, or any of these as JSON text.
 *
 * @returns undefined where the value holds no tool
 * @example
 * toolDefinitions([{ name: "read", input_schema: { type: "object" } }]);
 */
export function toolDefinitions(value: unknown): ToolDefinition[] | undefined {
  const given = parsed(value);
  const list = Array.isArray(given)
    ? (given as unknown[]).map((item) =>
        typeof item === "string" && item.startsWith("{") ? parsed(item) : item,
      )
    : isObject(given)
      ? byName(given)
      : [];
  const tools = list.flatMap(definitionsOf);
  return tools.length === 0 ? undefined : tools;
}

/** One definition, or several under their names. */
function byName(given: Record<string, unknown>): unknown[] {
  if (definitionsOf(given).length > 0) return [given];
  return Object.entries(given).map(([name, tool]) =>
    isObject(tool) && !isObject(tool.function) ? { name, ...tool } : tool,
  );
}
