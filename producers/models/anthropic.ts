import type Anthropic from "@anthropic-ai/sdk";
import type { Message, MessageCreateParamsStreaming } from "@anthropic-ai/sdk/resources/messages";
import { AtlasError } from "../../errors/atlas-error.ts";
import { EventJoiner } from "./anthropic-events.ts";
import { anthropicParams, anthropicReply } from "./anthropic-messages.ts";
import type { ModelClient, Patience } from "./model-client.ts";
import { type Asked, halfAnswer, modelError, unusableReply } from "./model-error.ts";

/** A Claude model. */
export interface AnthropicModelOptions extends Patience {
  model: string;
  /** `ANTHROPIC_BASE_URL`, else Anthropic's own, unless told. */
  baseUrl?: string | undefined;
  /** Name of the environment variable with the key; `ANTHROPIC_API_KEY` unless told. */
  apiKeyEnv?: string | undefined;
}

const ANTHROPIC_URL = "https://api.anthropic.com";

/**
 * A client for a Claude model.
 *
 * @example
 * const model = anthropicModel({ model: "claude-haiku-4-5" });
 */
export function anthropicModel(options: AnthropicModelOptions): ModelClient {
  const { model, apiKeyEnv = "ANTHROPIC_API_KEY" } = options;
  const baseUrl = options.baseUrl ?? (process.env["ANTHROPIC_BASE_URL"] || ANTHROPIC_URL);
  const asked: Asked = { provider: "anthropic", model, baseUrl };
  let client: Anthropic | undefined;

  async function open(): Promise<Anthropic> {
    const apiKey = process.env[apiKeyEnv] || undefined;
    if (apiKey === undefined) {
      throw new AtlasError("ATLAS_MODEL_FAILED", `anthropic ${model} needs a key`, {
        hint: `Set ${apiKeyEnv} in the environment.`,
      });
    }
    asked.apiKey = apiKey;
    const { default: Client } = await import("@anthropic-ai/sdk");
    return new Client({
      apiKey,
      authToken: null,
      baseURL: baseUrl,
      timeout: options.timeoutMs ?? 60_000,
      maxRetries: options.maxRetries ?? 2,
      logLevel: "off",
    });
  }

  async function streamed(
    from: Anthropic,
    params: MessageCreateParamsStreaming,
    rest: { signal?: AbortSignal },
  ): Promise<Message> {
    const joiner = new EventJoiner();
    for await (const event of await from.messages.create(params, rest)) joiner.add(event);
    if (!joiner.complete) throw halfAnswer(asked);
    return joiner.message();
  }

  return {
    provider: "anthropic",
    model,
    simulated: false,
    async complete(request, { signal } = {}) {
      client ??= await open();
      const { APIConnectionError } = await import("@anthropic-ai/sdk");
      try {
        const params = anthropicParams(request, model);
        const rest = signal ? { signal } : {};
        const message = options.stream
          ? await streamed(client, { ...params, stream: true }, rest)
          : await client.messages.create(params, rest);
        if (!Array.isArray(message?.content)) throw unusableReply(asked, "answered without content");
        return anthropicReply(message);
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        if (error instanceof AtlasError) throw error;
        throw modelError(error, asked, error instanceof APIConnectionError);
      }
    },
  };
}
