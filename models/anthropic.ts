import type Anthropic from "@anthropic-ai/sdk";
import type {
  Message,
  MessageCreateParamsNonStreaming as Params,
} from "@anthropic-ai/sdk/resources/messages";
import { addressFor } from "../configs/project-environment.ts";
import { addedFields, type Refused } from "./added-fields.ts";
import { EventJoiner } from "./anthropic-events.ts";
import { anthropicReply } from "./anthropic-reply.ts";
import { anthropicParams } from "./anthropic-request.ts";
import { withCallIds } from "./call-ids.ts";
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

/** Anthropic insists on a limit. */
const MAX_TOKENS = 8192;
/** Ours, and how a model that cannot say so much refuses it. */
const ADDED_FIELDS = { max_tokens: new RegExp(`max_tokens: ${MAX_TOKENS} > (\\d+)`) };

const limitOf = (refused: Refused<"max_tokens">): number =>
  Number(refused.get("max_tokens")?.[1] ?? MAX_TOKENS);

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
  const added = addedFields(ADDED_FIELDS);
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
      const trying = { asked, patience: options, signal, onTry, onFailedTry, isUnreachable };
      return promised(request, (promise) =>
        added((refused) => {
          const params = anthropicParams(request, { model, promise, limit: limitOf(refused) });
          return withTries(trying, async (one) => {
            const message = await answered(from, params, one);
            if (!Array.isArray(message?.content)) throw unusableReply(asked, "answered without content");
            return withCallIds(anthropicReply(message));
          });
        }),
      );
    },
  };
}
