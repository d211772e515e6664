/** A server of the MCP SDK with tools that answer, fail and hang. Run as a program it speaks over its standard streams. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import {
  CallToolRequestSchema,
  type CallToolResult,
  ListToolsRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";

const PICTURE = "iVBORw0KGgo=";
const text = (said: string) => ({ type: "text" as const, text: said });

interface Heard {
  /** Aborts when the client cancels the call. */
  signal: AbortSignal;
  /** The environment that the server was started with. */
  variable: string;
}

type Run = (args: Record<string, unknown>, heard: Heard) => CallToolResult | Promise<CallToolResult>;

let cancelled = 0;

const RUNS: Record<string, Run> = {
  find: ({ q }) => ({ content: [text(`found ${q}`), text("and more")] }),
  count: () => ({ content: [], structuredContent: { hits: 2 } }),
  draw: () => ({ content: [text("a dot"), { type: "image", data: PICTURE, mimeType: "image/png" }] }),
  fail: () => ({ content: [text("no such document")], isError: true }),
  throw: () => {
    throw new Error("disk on fire");
  },
  hang: (_, { signal }) =>
    new Promise((resolve) => {
      signal.addEventListener("abort", () => {
        cancelled += 1;
        resolve({ content: [] });
      });
    }),
  cancelled: () => ({ content: [text(String(cancelled))] }),
  environment: (_, { variable }) => ({ content: [text(variable)] }),
};

const definitionOf = (name: string) => ({
  name,
  description: `Tries to ${name}`,
  inputSchema: {
    type: "object" as const,
    ...(name === "find" ? { properties: { q: { type: "string" } }, required: ["q"] } : {}),
  },
  ...(name === "count"
    ? { outputSchema: { type: "object" as const, properties: { hits: { type: "number" } } } }
    : {}),
});

/** Its list comes in pages of three. */
function toolServer(): Server {
  const server = new Server({ name: "tested", version: "1.0.0" }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, ({ params }) => {
    const from = Number(params?.cursor ?? 0);
    const names = Object.keys(RUNS).slice(from, from + 3);
    const next = from + 3;
    return {
      tools: names.map(definitionOf),
      ...(next < Object.keys(RUNS).length ? { nextCursor: String(next) } : {}),
    };
  });
  server.setRequestHandler(CallToolRequestSchema, ({ params }, { signal }) =>
    RUNS[params.name]!(params.arguments ?? {}, { signal, variable: process.env["MCP_TESTED"] ?? "" }),
  );
  return server;
}

/** Serves the same tools over HTTP on loopback. */
export async function startMcpServer(): Promise<
  AsyncDisposable & { url: string; authorizations: unknown[] }
> {
  const authorizations: unknown[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    authorizations.push(request.headers.authorization);
    // Without sessions: each request has a transport of its own, as the SDK wants it.
    const transport = new StreamableHTTPServerTransport({});
    await toolServer().connect(transport as Transport);
    await transport.handleRequest(request, response);
  };
  const http = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    authorizations,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

if (import.meta.main) await toolServer().connect(new StdioServerTransport());
