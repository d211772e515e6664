import type { ChatCompletion } from "openai/resources/chat/completions";
import type { ChatMessage, ModelReply, TokenIds, Usage } from "./model-client.ts";
import { type Asked, unusableReply } from "./model-error.ts";

function usageOf(usage: ChatCompletion["usage"]): Usage | undefined {
  if (usage === undefined || usage === null) return undefined;
  const promptTokens = usage.prompt_tokens ?? 0;
  const completionTokens = usage.completion_tokens ?? 0;
  const reasoningTokens = usage.completion_tokens_details?.reasoning_tokens;
  const cachedTokens = usage.prompt_tokens_details?.cached_tokens;
  return {
    promptTokens,
    completionTokens,
    totalTokens: usage.total_tokens ?? promptTokens + completionTokens,
    ...(typeof reasoningTokens === "number" ? { reasoningTokens } : {}),
    ...(typeof cachedTokens === "number" ? { cachedTokens } : {}),
  };
}

/** US dollars, as OpenRouter and servers like it tell with the tokens. */
function costOf(usage: ChatCompletion["usage"]): number | undefined {
  const { cost } = (usage ?? {}) as { cost?: unknown };
  return typeof cost === "number" && Number.isFinite(cost) && cost >= 0 ? cost : undefined;
}

/** Servers name it differently; OpenAI itself does not tell. */
function reasoningOf(message: ChatMessage): string | undefined {
  for (const field of ["reasoning_content", "reasoning", "thinking"]) {
    const text = message[field];
    if (typeof text === "string" && text !== "") return text;
  }
  return undefined;
}

function contentOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .map((part: { text?: unknown }) => (typeof part?.text === "string" ? part.text : ""))
    .join("");
}

const idsOf = (value: unknown): number[] | undefined => (Array.isArray(value) ? value : undefined);

/** vLLM puts those of the prompt beside the choices, and those of the answer into its choice. */
function tokenIdsOf(completion: ChatCompletion): TokenIds | undefined {
  const { prompt_token_ids } = completion as { prompt_token_ids?: unknown };
  const { token_ids } = completion.choices[0] as { token_ids?: unknown };
  const [prompt, answer] = [idsOf(prompt_token_ids), idsOf(token_ids)];
  if (prompt === undefined && answer === undefined) return undefined;
  return { ...(prompt && { prompt }), ...(answer && { completion: answer }) };
}

/**
 * An answer of OpenAI's chat API in the shape that every provider's answer has here.
 *
 * @throws AtlasError ATLAS_MODEL_FAILED when it holds no choice
 */
export function openaiReply(completion: ChatCompletion, asked: Asked): ModelReply {
  const choice = completion?.choices?.[0];
  if (choice?.message === undefined || choice.message === null) {
    throw unusableReply(asked, "answered without a choice");
  }
  const message = choice.message as unknown as ChatMessage;
  const usage = usageOf(completion.usage);
  const cost = costOf(completion.usage);
  const reasoning = reasoningOf(message);
  const tokenIds = tokenIdsOf(completion);
  return {
    content: contentOf(message.content),
    toolCalls: (choice.message.tool_calls ?? []).map((call) => ({
      id: call.id,
      name: call.type === "custom" ? call.custom.name : call.function.name,
      arguments: call.type === "custom" ? call.custom.input : call.function.arguments,
    })),
    message,
    model: completion.model ?? asked.model,
    ...(typeof choice.finish_reason === "string" ? { finishReason: choice.finish_reason } : {}),
    ...(usage === undefined ? {} : { usage }),
    ...(cost === undefined ? {} : { cost }),
    ...(tokenIds === undefined ? {} : { tokenIds }),
    ...(choice.logprobs ? { logprobs: choice.logprobs } : {}),
    ...(reasoning === undefined ? {} : { reasoning }),
  };
}
