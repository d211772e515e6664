import { AtlasError } from "../../errors/atlas-error.ts";
import { defineTool, type Tool } from "./tool.ts";

interface McpTool {
  name: string;
  description?: string | undefined;
  inputSchema: Record<string, unknown>;
}

/** What is needed of a connected client of an MCP server; the `Client` of the MCP SDK is one. */
export interface McpClient {
  listTools(params?: { cursor?: string }): Promise<{ tools: McpTool[]; nextCursor?: string | undefined }>;
  callTool(
    params: { name: string; arguments?: Record<string, unknown> },
    resultSchema?: undefined,
    options?: { signal?: AbortSignal; timeout?: number },
  ): Promise<Record<string, unknown>>;
}

/** How an MCP server's tools are called. */
export interface McpToolsOptions {
  /** Milliseconds of one call; the client's own limit unless told, which is a minute in the MCP SDK. */
  timeoutMs?: number | undefined;
}

/** The texts of a result where it has nothing else, so that a model reads them plainly; all of it otherwise. */
function outputOf(result: Record<string, unknown>): unknown {
  const content = result["content"];
  if (!Array.isArray(content) || content.length === 0) return result["structuredContent"] ?? null;
  const texts = (content as { type?: unknown; text?: unknown }[]).map(({ type, text }) =>
    type === "text" && typeof text === "string" ? text : undefined,
  );
  return texts.every((text) => text !== undefined) ? texts.join("\n") : content;
}

function toolOf(
  client: McpClient,
  { name, description, inputSchema }: McpTool,
  { timeoutMs }: McpToolsOptions,
): Tool {
  const patience = timeoutMs === undefined ? {} : { timeout: timeoutMs };
  return defineTool({
    name,
    ...(description === undefined ? {} : { description }),
    parameters: inputSchema,
    async run(args, { signal }) {
      const result = await client.callTool({ name, arguments: args }, undefined, { signal, ...patience });
      const output = outputOf(result);
      if (result["isError"] !== true) return output;
      const said = typeof output === "string" ? output : JSON.stringify(output);
      throw new AtlasError("ATLAS_AGENT_FAILED", `the tool ${name} failed: ${said}`);
    },
  });
}

/**
 * The tools of an MCP server, executed by the server. The caller connects the client, and closes it.
 *
 * @example
 * const agent = openaiAgent({ model: "gpt-5.4-mini", tools: await mcpTools(client) });
 */
export async function mcpTools(client: McpClient, options: McpToolsOptions = {}): Promise<Tool[]> {
  const tools: Tool[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.listTools(cursor === undefined ? undefined : { cursor });
    for (const tool of page.tools) tools.push(toolOf(client, tool, options));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return tools;
}
