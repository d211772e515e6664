import type {
  ContentBlock,
  ContentBlockParam,
  Message,
  MessageCreateParamsNonStreaming,
  MessageParam,
} from "@anthropic-ai/sdk/resources/messages";
import type { JsonPromise } from "./json-promise.ts";
import type { ChatMessage, ModelReply, ModelRequest, ToolCall, Usage } from "./model-client.ts";
import { countOf, reportedUsage } from "./reported-usage.ts";

/** Anthropic insists on a limit. */
const MAX_TOKENS = 8192;

function textOf(content: ChatMessage["content"]): string {
  if (typeof content === "string") return content;
  return (content ?? []).map((part) => (typeof part["text"] === "string" ? part["text"] : "")).join("");
}

function parsedArguments(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return { raw: text };
  }
}

function assistantBlocks(message: ChatMessage): ContentBlockParam[] {
  // What Anthropic sent goes back as it was: thinking blocks carry a signature.
  if (Array.isArray(message["blocks"])) return message["blocks"] as ContentBlockParam[];
  const text = textOf(message.content);
  const calls = (message.tool_calls ?? []) as { id: string; function: { name: string; arguments: string } }[];
  return [
    ...(text === "" ? [] : [{ type: "text" as const, text }]),
    ...calls.map((call) => ({
      type: "tool_use" as const,
      id: call.id,
      name: call.function.name,
      input: parsedArguments(call.function.arguments),
    })),
  ];
}

function messageParam(message: ChatMessage): MessageParam {
  if (message.role === "assistant") return { role: "assistant", content: assistantBlocks(message) };
  if (message.role !== "tool") return { role: "user", content: textOf(message.content) };
  return {
    role: "user",
    content: [
      { type: "tool_result", tool_use_id: message.tool_call_id ?? "", content: textOf(message.content) },
    ],
  };
}

/** The results of calls that were made together go back together; apart, they teach the model to call one by one. */
function messageParams(messages: readonly ChatMessage[]): MessageParam[] {
  const params: MessageParam[] = [];
  let before: ChatMessage | undefined;
  for (const message of messages) {
    const param = messageParam(message);
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
  model: string,
  promise: JsonPromise,
): MessageCreateParamsNonStreaming {
  const { temperature, topP, maxTokens = MAX_TOKENS, tools = [] } = request;
  const system = request.messages.filter(isSystem).map(({ content }) => textOf(content));
  return {
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
  };
}

function toolCallOf(block: ContentBlock): ToolCall | undefined {
  if (block.type !== "tool_use") return undefined;
  return { id: block.id, name: block.name, arguments: JSON.stringify(block.input) };
}

const asChatCall = ({ id, name, arguments: args }: ToolCall): unknown => ({
  id,
  type: "function",
  function: { name, arguments: args },
});

/** Tokens read from the cache and written to it are tokens of the prompt. */
function usageOf(usage: Partial<Message["usage"]> | undefined): Usage | undefined {
  const cached = countOf(usage?.cache_read_input_tokens) ?? 0;
  const fresh = countOf(usage?.input_tokens);
  return reportedUsage({
    prompt:
      fresh === undefined ? undefined : fresh + cached + (countOf(usage?.cache_creation_input_tokens) ?? 0),
    completion: usage?.output_tokens,
    reasoning: usage?.output_tokens_details?.thinking_tokens,
    cached: cached === 0 ? undefined : cached,
  });
}

/** Anthropic's answer in the shape that every provider's answer has here. */
export function anthropicReply(message: Message): ModelReply {
  const blocks = (message.content ?? []).filter((block) => typeof block === "object" && block !== null);
  const content = blocks.map((block) => (block.type === "text" ? block.text : "")).join("");
  const reasoning = blocks.map((block) => (block.type === "thinking" ? block.thinking : "")).join("");
  const toolCalls = blocks.map(toolCallOf).filter((call) => call !== undefined);
  const usage = usageOf(message.usage);
  return {
    content,
    toolCalls,
    message: {
      role: "assistant",
      content,
      ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls.map(asChatCall) }),
      blocks,
    },
    model: message.model,
    ...(usage === undefined ? {} : { usage }),
    ...(message.stop_reason === null ? {} : { finishReason: message.stop_reason }),
    ...(reasoning === "" ? {} : { reasoning }),
  };
}
