import type { ChatCompletion, ChatCompletionMessageToolCall } from "openai/resources/chat/completions";
import { textOf } from "../schemas/json-text.ts";
import type { ChatMessage, ModelReply, TokenIds, ToolCall, Usage } from "./model-client.ts";
import { type Asked, takesNoRequest, unusableReply, withoutSecrets } from "./model-error.ts";
import { reportedUsage } from "./reported-usage.ts";

const usageOf = (usage: ChatCompletion["usage"], silent: boolean): Usage | undefined =>
  reportedUsage({
    silent,
    prompt: usage?.prompt_tokens,
    completion: usage?.completion_tokens,
    total: usage?.total_tokens,
    reasoning: usage?.completion_tokens_details?.reasoning_tokens,
    cached: usage?.prompt_tokens_details?.cached_tokens,
  });

/** US dollars, as OpenRouter and servers like it tell with the tokens. Beside tokens that nobody counted, 0 is none. */
function costOf(usage: ChatCompletion["usage"], tokens: Usage | undefined): number | undefined {
  const { cost } = (usage ?? {}) as { cost?: unknown };
  if (cost === 0 && tokens === undefined) return undefined;
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
  return content.map((part) => textIn(part, "text") || textIn(part, "refusal")).join("");
}

function textIn(part: unknown, field: string): string {
  const text = (part as Record<string, unknown> | null)?.[field];
  return typeof text === "string" ? text : "";
}

/** What a model says in place of an answer is what it answers. */
const answerOf = ({ content, refusal }: ChatMessage): string => contentOf(content) || contentOf(refusal);

const idsOf = (value: unknown): number[] | undefined => (Array.isArray(value) ? value : undefined);

/** vLLM puts those of the prompt beside the choices, and those of the answer into its choice. */
function tokenIdsOf(completion: ChatCompletion): TokenIds | undefined {
  const { prompt_token_ids } = completion as { prompt_token_ids?: unknown };
  const { token_ids } = completion.choices[0] as { token_ids?: unknown };
  const [prompt, answer] = [idsOf(prompt_token_ids), idsOf(token_ids)];
  if (prompt === undefined && answer === undefined) return undefined;
  return { ...(prompt && { prompt }), ...(answer && { completion: answer }) };
}

const callsOf = (calls: unknown): ChatCompletionMessageToolCall[] => (Array.isArray(calls) ? calls : []);

/** Some servers write no arguments where there are none, or an object where a text belongs. */
const argumentsOf = (given: unknown): string => textOf(given) ?? "";

function callOf(call: ChatCompletionMessageToolCall, asked: Asked): ToolCall {
  const custom = call?.type === "custom";
  const { name, args } = custom
    ? { name: call.custom?.name, args: call.custom?.input }
    : { name: call?.function?.name, args: call?.function?.arguments };
  if (typeof name !== "string") throw unusableReply(asked, "called a tool without its name");
  return { id: call.id, name, arguments: argumentsOf(args), ...(custom ? { custom } : {}) };
}

/** What routers write into an answer with status 200 when the model behind them gave none. */
interface RefusedInside {
  message?: unknown;
  /** An HTTP status, or a word. */
  code?: unknown;
}

/**
 * An answer of OpenAI's chat API in the shape that every provider's answer has here.
 *
 * @throws AtlasError ATLAS_MODEL_FAILED when it holds no choice, or a call of nothing; ATLAS_MODEL_UNAVAILABLE when it
 *   holds the status of a server behind it that gave none
 */
export function openaiReply(completion: ChatCompletion, asked: Asked): ModelReply {
  const choice = completion?.choices?.[0];
  if (choice?.message === undefined || choice.message === null) {
    const { message, code } = (completion as { error?: RefusedInside } | null)?.error ?? {};
    const said = textOf(message);
    const why = said === null ? "" : `: ${withoutSecrets(said, asked.apiKey)}`;
    const unavailable = typeof code === "number" && takesNoRequest(code);
    throw unusableReply(asked, `answered without a choice${why}`, unavailable);
  }
  const message = choice.message as unknown as ChatMessage;
  const reasoning = reasoningOf(message);
  const content = answerOf(message);
  const toolCalls = callsOf(choice.message.tool_calls).map((call) => callOf(call, asked));
  const silent = content === "" && reasoning === undefined && toolCalls.length === 0;
  const usage = usageOf(completion.usage, silent);
  const cost = costOf(completion.usage, usage);
  const tokenIds = tokenIdsOf(completion);
  return {
    content,
    toolCalls,
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
