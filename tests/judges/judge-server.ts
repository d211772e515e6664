import { onTestFinished } from "vitest";
import type { LlmConfig } from "../../configs/config-schema.ts";
import { type Answer, completion, json, type ModelServer, startModelServer } from "../models/model-server.ts";

/** What a judge's reply holds. */
export interface Reply {
  score: number;
  uncertainty?: number;
  rationale?: string;
}

export const reply = ({ score, uncertainty = 0.1, rationale = "so it seems" }: Reply): string =>
  JSON.stringify({ principles: [{ name: "truth", weight: 1 }], rationale, score, uncertainty });

/** What was asked: the prompt and the material. */
export interface Asked {
  model: string;
  prompt: string;
  material: string;
  temperature: unknown;
}

export interface JudgeServer extends ModelServer {
  asked(): Asked[];
  model(name?: string): LlmConfig;
}

/** A real server whose replies are a text, or whatever an answer does. It ends with the test. */
export async function startJudge(
  answer: ((asked: Asked) => string | Promise<string>) | Answer,
): Promise<JudgeServer> {
  const of = (body: Record<string, unknown>): Asked => {
    const messages = body["messages"] as { role: string; content: string }[];
    return {
      model: String(body["model"]),
      prompt: messages[0]!.content,
      material: messages[1]!.content,
      temperature: body["temperature"],
    };
  };
  const server = await startModelServer(async (request, response) => {
    if (answer.length === 2) return (answer as Answer)(request, response);
    const content = await (answer as (asked: Asked) => string | Promise<string>)(of(request.body));
    json(response, completion(content));
  });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return {
    ...server,
    asked: () => server.requests.map(({ body }) => of(body)),
    model: (name = "small") =>
      ({
        provider: "openai",
        model: name,
        baseUrl: server.url,
        apiKeyEnv: "PATH",
        retries: 0,
      }) as LlmConfig,
  };
}
