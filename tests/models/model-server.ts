import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** A request that the server got. */
export interface SeenRequest {
  path: string;
  headers: IncomingHttpHeaders;
  body: Record<string, unknown>;
}

/** Answers one request, however it likes. */
export type Answer = (request: SeenRequest, response: ServerResponse) => void | Promise<void>;

/** A server on loopback that answers like a provider's API. */
export interface ModelServer extends AsyncDisposable {
  url: string;
  requests: SeenRequest[];
  /** How many answers have been sent. */
  answered(): number;
}

/** Starts a server that answers every request with `answer`. */
export async function startModelServer(answer: Answer): Promise<ModelServer> {
  const requests: SeenRequest[] = [];
  let answered = 0;
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const seen = {
      path: request.url ?? "",
      headers: request.headers,
      body: body === "" ? {} : JSON.parse(body),
    };
    requests.push(seen);
    response.once("finish", () => {
      answered += 1;
    });
    await answer(seen, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    answered: () => answered,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Sends JSON. */
export function json(response: ServerResponse, body: unknown, status = 200, headers = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

/** A completion of OpenAI's chat API. */
export const completion = (content: string | null, message = {}, usage: unknown = undefined) => ({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "served-model-2",
  choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content, ...message } }],
  usage: usage ?? { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
});

/** A port on loopback where nothing listens. */
export async function closedPort(): Promise<number> {
  await using server = await startModelServer(() => {});
  return Number(new URL(server.url).port);
}
