import { z } from "zod";
import { AtlasError } from "../../errors/atlas-error.ts";
import type { ToolDefinition } from "../../models/model-client.ts";

/** A tool that a model may call, and that is really executed. */
export interface Tool extends ToolDefinition {
  /**
   * Executes one call. What it returns goes to the model: a text as it is, all else as JSON.
   *
   * @param args the arguments, parsed and checked
   */
  run(args: unknown, options: { signal: AbortSignal }): unknown;
  /** Checks the parsed arguments, and returns them as `run` wants them. Throws what is wrong with them. */
  check?(args: unknown): unknown;
}

type ToolRun<A> = (args: A, options: { signal: AbortSignal }) => unknown;

interface ToolNames {
  name: string;
  description?: string;
}

const isZod = (parameters: object): parameters is z.ZodType => "_zod" in parameters;

/** Whether arguments fit a schema, in words that tell a model what to mend. */
function checked(schema: z.ZodType, args: unknown): unknown {
  const outcome = schema.safeParse(args);
  if (outcome.success) return outcome.data;
  throw new AtlasError(
    "ATLAS_AGENT_FAILED",
    `the arguments do not fit: ${z.prettifyError(outcome.error).replaceAll("\n", " ")}`,
  );
}

/** Undefined for a schema that cannot be checked here; its tool then gets the arguments as the model wrote them. */
function checkOf(schema: Record<string, unknown>): z.ZodType | undefined {
  try {
    return z.fromJSONSchema(schema);
  } catch {
    return undefined;
  }
}

/**
 * Makes a tool of a function. Arguments are described by a zod schema, which types and transforms them, or by a JSON
 * Schema, which they are checked against.
 *
 * @example
 * const search = defineTool({
 *   name: "search",
 *   description: "Finds documents",
 *   parameters: z.object({ query: z.string() }),
 *   run: ({ query }) => index.search(query),
 * });
 */
export function defineTool<S extends z.ZodType>(
  tool: ToolNames & { parameters: S; run: ToolRun<z.output<S>> },
): Tool;
export function defineTool(
  tool: ToolNames & { parameters: Record<string, unknown>; run: ToolRun<Record<string, unknown>> },
): Tool;
export function defineTool(
  tool: ToolNames & { parameters: z.ZodType | Record<string, unknown>; run: ToolRun<never> },
): Tool {
  const { name, description, parameters, run } = tool;
  const named = { name, ...(description === undefined ? {} : { description }), run: run as Tool["run"] };
  if (isZod(parameters)) {
    const { $schema: _, ...schema } = z.toJSONSchema(parameters, { io: "input" });
    return { ...named, parameters: schema, check: (args) => checked(parameters, args) };
  }
  const schema = checkOf(parameters);
  if (schema === undefined) return { ...named, parameters };
  return {
    ...named,
    parameters,
    check(args) {
      checked(schema, args);
      return args;
    },
  };
}
