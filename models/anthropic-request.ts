import type {
  ContentBlockParam,
  MessageCreateParamsNonStreaming,
  MessageParam,
} from "@anthropic-ai/sdk/resources/messages";
import { inputOf } from "./anthropic-input.ts";
import type { JsonPromise } from "./json-promise.ts";
import type { ChatMessage, ModelRequest } from "./model-client.ts";
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

/** What is not a text, such as an image, says something. */
const saysNothing = ({ content }: ChatMessage): boolean =>
  typeof content === "object" && content !== null
    ? content.every((part) => isSilent(part["text"]))
    : isSilent(content ?? "");

/** Undefined for a message that says nothing, which Anthropic refuses. */
function messageParam(message: ChatMessage): MessageParam | undefined {
  if (message.role === "assistant") {
    const content = assistantBlocks(message);
    return content.length === 0 ? undefined : { role: "assistant", content };
  }
  const text = textOf(message.content);
  if (message.role !== "tool") return saysNothing(message) ? undefined : { role: "user", content: text };
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
