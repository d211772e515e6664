import type Anthropic from "@anthropic-ai/sdk";
import type {
  Message,
  MessageCreateParamsNonStreaming as Params,
} from "@anthropic-ai/sdk/resources/messages";
import { addressFor } from "../configs/project-environment.ts";
import { EventJoiner } from "./anthropic-events.ts";
import { anthropicParams, anthropicReply } from "./anthropic-messages.ts";
import { jsonPromises } from "./json-promise.ts";
import type { ModelClient, Patience } from "./model-client.ts";
import { type Asked, halfAnswer, keyMissing, unusableReply } from "./model-error.ts";
import { sdkOptions } from "./sdk-options.ts";
import { type Try, withTries } from "./tries.ts";

/** A Claude model. */
export interface AnthropicModelOptions extends Patience {
  model: string;
  /** `ANTHROPIC_BASE_URL`, else Anthropic's own, unless told. */
  baseUrl?: string | undefined;
  /** Name of the environment variable with the key; `ANTHROPIC_API_KEY` unless told. */
  apiKeyEnv?: string | undefined;
}

/** Where it is asked unless told. */
export const ANTHROPIC_URL = "https://api.anthropic.com";
/**
 * A client for a Claude model.
 *
 * @example
 * const model = anthropicModel({ model: "claude-haiku-4-5" });
 */
export function anthropicModel(options: AnthropicModelOptions): ModelClient {
  const { model, apiKeyEnv = "ANTHROPIC_API_KEY" } = options;
  const baseUrl = options.baseUrl ?? addressFor("ANTHROPIC_BASE_URL", apiKeyEnv) ?? ANTHROPIC_URL;
  const asked: Asked = { provider: "anthropic", model, baseUrl };
  const promised = jsonPromises(["schema", "none"]);
  let client: Anthropic | undefined;

  async function open(): Promise<Anthropic> {
    const apiKey = process.env[apiKeyEnv] || undefined;
    if (apiKey === undefined) {
      throw keyMissing(asked, apiKeyEnv);
    }
    asked.apiKey = apiKey;
    const { default: Client } = await import("@anthropic-ai/sdk");
    return new Client({
      apiKey,
      authToken: null,
      baseURL: baseUrl,
      ...sdkOptions(),
    });
  }

  async function answered(from: Anthropic, params: Params, { signal, alive }: Try): Promise<Message> {
    if (!options.stream) return from.messages.create(params, { signal });
    const joiner = new EventJoiner();
    for await (const event of await from.messages.create({ ...params, stream: true }, { signal })) {
      alive();
      joiner.add(event);
    }
    if (!joiner.complete) throw halfAnswer(asked);
    return joiner.message();
  }

  return {
    provider: "anthropic",
    model,
    simulated: false,
    async complete(request, { signal, onTry, onFailedTry } = {}) {
      client ??= await open();
      const from = client;
      const { APIConnectionError } = await import("@anthropic-ai/sdk");
      const isUnreachable = (error: unknown): boolean => error instanceof APIConnectionError;
      return promised(request, (promise) => {
        const params = anthropicParams(request, model, promise);
        return withTries(
          { asked, patience: options, signal, onTry, onFailedTry, isUnreachable },
          async (one) => {
            const message = await answered(from, params, one);
            if (!Array.isArray(message?.content)) throw unusableReply(asked, "answered without content");
            return anthropicReply(message);
          },
        );
      });
    },
  };
}
