import type {
  ContentBlock,
  ContentBlockParam,
  Message,
  MessageCreateParamsNonStreaming,
  MessageParam,
} from "@anthropic-ai/sdk/resources/messages";
import { textOf as jsonTextOf } from "../schemas/json-text.ts";
import type { JsonPromise } from "./json-promise.ts";
import type { ChatMessage, ModelReply, ModelRequest, ToolCall, Usage } from "./model-client.ts";
import { countOf, reportedUsage } from "./reported-usage.ts";
import { sendable } from "./sendable.ts";

/** How a request is made of ours. */
export interface Asking {
  model: string;
  promise: JsonPromise;
  /** Most tokens of an answer, where the caller says none. */
  limit: number;
}

function textOf(content: ChatMessage["content"]): string {
  if (typeof content === "string") return content;
  return (content ?? []).map((part) => (typeof part["text"] === "string" ? part["text"] : "")).join("");
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Input as Anthropic takes it back: an object. Of what could not be read the result of the call tells. */
function inputOf(given: unknown): Record<string, unknown> {
  if (isObject(given)) return given;
  try {
    const parsed: unknown = JSON.parse(String(given));
    return isObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

interface ChatCall {
  id: string;
  function?: { name: string; arguments: unknown };
  custom?: { name: string; input: string };
}

const toolUse = ({ id, function: called, custom }: ChatCall): ContentBlockParam => ({
  type: "tool_use",
  id,
  name: called?.name ?? custom?.name ?? "",
  input: custom === undefined ? inputOf(called?.arguments) : { input: custom.input },
});

/** Anthropic refuses a text of nothing but white space, also one that it wrote itself. */
const isSilent = (text: unknown): boolean => typeof text === "string" && text.trim() === "";

const isThought = ({ type }: ContentBlockParam): boolean =>
  type === "thinking" || type === "redacted_thinking";

function assistantBlocks(message: ChatMessage): ContentBlockParam[] {
  // What Anthropic sent goes back as it was: thinking blocks carry a signature.
  const given = message["blocks"] as ContentBlockParam[] | undefined;
  const calls = (message.tool_calls ?? []) as ChatCall[];
  const blocks = Array.isArray(given)
    ? given
    : [
        { type: "text" as const, text: textOf(message.content) || textOf(message["refusal"] as string) },
        ...calls.map(toolUse),
      ];
  const said = blocks.filter((block) => block.type !== "text" || !isSilent(block.text));
  return said.every(isThought) ? [] : said;
}

/** Undefined for a message that says nothing, which Anthropic refuses. */
function messageParam(message: ChatMessage): MessageParam | undefined {
  if (message.role === "assistant") {
    const content = assistantBlocks(message);
    return content.length === 0 ? undefined : { role: "assistant", content };
  }
  const text = textOf(message.content);
  if (message.role !== "tool") return isSilent(text) ? undefined : { role: "user", content: text };
  const result = isSilent(text) ? {} : { content: text };
  return {
    role: "user",
    content: [{ type: "tool_result", tool_use_id: message.tool_call_id ?? "", ...result }],
  };
}

/** The results of calls that were made together go back together; apart, they teach the model to call one by one. */
function messageParams(messages: readonly ChatMessage[]): MessageParam[] {
  const params: MessageParam[] = [];
  let before: ChatMessage | undefined;
  for (const message of messages) {
    const param = messageParam(message);
    if (param === undefined) continue;
    const last = params.at(-1);
    if (message.role === "tool" && before?.role === "tool" && last !== undefined)
      last.content = [...(last.content as ContentBlockParam[]), ...(param.content as ContentBlockParam[])];
    else params.push(param);
    before = message;
  }
  return params;
}

const isSystem = ({ role }: ChatMessage): boolean => role === "system" || role === "developer";

/** What the caller's own fields say about the answer, such as `effort`, stays beside its schema. */
function outputConfigOf({ extra }: ModelRequest): object {
  const given = extra?.["output_config"];
  return typeof given === "object" && given !== null ? given : {};
}

/** A request in the shape of Anthropic's API, which keeps the system prompt apart and has schemas but no JSON mode. */
export function anthropicParams(
  request: ModelRequest,
  { model, promise, limit }: Asking,
): MessageCreateParamsNonStreaming {
  const { temperature, topP, maxTokens = limit, tools = [] } = request;
  const system = request.messages
    .filter(isSystem)
    .map(({ content }) => textOf(content))
    .filter((text) => !isSilent(text));
  return sendable({
    ...request.extra,
    model,
    max_tokens: maxTokens,
    messages: messageParams(request.messages.filter((message) => !isSystem(message))),
    ...(request.jsonSchema === undefined || promise !== "schema"
      ? {}
      : {
          output_config: {
            ...outputConfigOf(request),
            format: { type: "json_schema" as const, schema: request.jsonSchema },
          },
        }),
    ...(system.length === 0 ? {} : { system: system.join("\n\n") }),
    ...(temperature === undefined ? {} : { temperature: Math.min(temperature, 1) }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(tools.length === 0
      ? {}
      : {
          tools: tools.map(({ name, description, parameters }) => ({
            name,
            ...(description === undefined ? {} : { description }),
            input_schema: { type: "object" as const, ...parameters },
          })),
        }),
  });
}

/** Input that is a text is what came of it. */
function toolCallOf(block: ContentBlock): ToolCall | undefined {
  if (block.type !== "tool_use") return undefined;
  return { id: block.id, name: block.name, arguments: jsonTextOf(block.input) ?? "" };
}

const asBlock = (block: ContentBlock): ContentBlock =>
  block.type === "tool_use" && !isObject(block.input) ? { ...block, input: inputOf(block.input) } : block;

const asChatCall = ({ id, name, arguments: args }: ToolCall): unknown => ({
  id,
  type: "function",
  function: { name, arguments: args },
});

/** Tokens read from the cache and written to it are tokens of the prompt. */
function usageOf(usage: Partial<Message["usage"]> | undefined, silent: boolean): Usage | undefined {
  const cached = countOf(usage?.cache_read_input_tokens) ?? 0;
  const fresh = countOf(usage?.input_tokens);
  return reportedUsage({
    silent,
    prompt:
      fresh === undefined ? undefined : fresh + cached + (countOf(usage?.cache_creation_input_tokens) ?? 0),
    completion: usage?.output_tokens,
    reasoning: usage?.output_tokens_details?.thinking_tokens,
    cached: cached === 0 ? undefined : cached,
  });
}

/** Why it refused, where it said nothing else. */
const refusalOf = ({ stop_reason, stop_details }: Message): string =>
  stop_reason === "refusal" && typeof stop_details?.explanation === "string" ? stop_details.explanation : "";

/** Anthropic's answer in the shape that every provider's answer has here. */
export function anthropicReply(message: Message): ModelReply {
  const blocks = (message.content ?? []).filter((block) => typeof block === "object" && block !== null);
  const text = blocks.map((block) => (block.type === "text" ? block.text : "")).join("");
  const content = text || refusalOf(message);
  const reasoning = blocks.map((block) => (block.type === "thinking" ? block.thinking : "")).join("");
  const toolCalls = blocks.map(toolCallOf).filter((call) => call !== undefined);
  const silent = content === "" && reasoning === "" && toolCalls.length === 0;
  const usage = usageOf(message.usage, silent);
  return {
    content,
    toolCalls,
    message: {
      role: "assistant",
      content,
      ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls.map(asChatCall) }),
      blocks: blocks.map(asBlock),
    },
    model: message.model,
    ...(usage === undefined ? {} : { usage }),
    ...(message.stop_reason === null ? {} : { finishReason: message.stop_reason }),
    ...(reasoning === "" ? {} : { reasoning }),
  };
}
