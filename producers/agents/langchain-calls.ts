import type {
  ChatMessage,
  ModelReply,
  ModelRequest,
  ToolCall,
  ToolDefinition,
  Usage,
} from "../../models/model-client.ts";
import { reportedUsage } from "../../models/reported-usage.ts";
import { isText, langchainMessage } from "./langchain-messages.ts";

interface Generation {
  text?: string;
  message?: {
    additional_kwargs?: Record<string, unknown>;
    response_metadata?: Record<string, unknown>;
    usage_metadata?: {
      input_tokens?: number;
      output_tokens?: number;
      total_tokens?: number;
      input_token_details?: { cache_read?: number };
      output_token_details?: { reasoning?: number };
    };
  };
  generationInfo?: Record<string, unknown>;
}

/** How LangChain tells what a model answered. */
export interface LlmResult {
  generations?: Generation[][];
  llmOutput?: Record<string, unknown>;
}

function usageOf({ message }: Generation, output: LlmResult): Usage | undefined {
  const counted = message?.usage_metadata;
  const counts = (output.llmOutput?.["tokenUsage"] ?? {}) as Record<string, number | undefined>;
  return reportedUsage({
    prompt: counted?.input_tokens ?? counts["promptTokens"],
    completion: counted?.output_tokens ?? counts["completionTokens"],
    total: counted?.total_tokens ?? counts["totalTokens"],
    cached: counted?.input_token_details?.cache_read,
    reasoning: counted?.output_token_details?.reasoning,
    silent: true,
  });
}

interface OfferedTool {
  name?: string;
  description?: string;
  parameters?: Record<string, unknown>;
  input_schema?: Record<string, unknown>;
  function?: OfferedTool;
}

/** A tool as OpenAI's API is offered it, or Anthropic's. */
function definitionOf(tool: OfferedTool): ToolDefinition {
  const { name = "", description, parameters, input_schema } = tool.function ?? tool;
  return {
    name,
    ...(description === undefined ? {} : { description }),
    parameters: parameters ?? input_schema ?? {},
  };
}

/** What a chat model was asked, from the parameters that LangChain tells. */
export function requestOf(messages: ChatMessage[], params: Record<string, unknown>): ModelRequest {
  const { model: _, model_name: __, tools, temperature, top_p, max_tokens, ...extra } = params;
  return {
    messages,
    ...(Array.isArray(tools) ? { tools: (tools as OfferedTool[]).map(definitionOf) } : {}),
    ...(typeof temperature === "number" ? { temperature } : {}),
    ...(typeof top_p === "number" ? { topP: top_p } : {}),
    ...(typeof max_tokens === "number" ? { maxTokens: max_tokens } : {}),
    extra,
  };
}

function toolCallsOf({ tool_calls }: ChatMessage): ToolCall[] {
  const calls = (tool_calls ?? []) as { id: string; function: Omit<ToolCall, "id">; error?: string }[];
  return calls.map(({ id, function: called, error }) => ({
    id,
    ...called,
    ...(error === undefined ? {} : { error }),
  }));
}

/** What a model answered, as LangChain tells it. */
export function replyOf(output: LlmResult, asked: string): ModelReply {
  const generation = output.generations?.[0]?.[0] ?? {};
  const metadata = { ...generation.generationInfo, ...generation.message?.response_metadata };
  const message: ChatMessage =
    generation.message === undefined
      ? { role: "assistant", content: generation.text ?? "" }
      : langchainMessage(generation.message);
  const answered = metadata["model_name"] ?? metadata["model"];
  const finishReason = metadata["finish_reason"] ?? metadata["stop_reason"];
  const { reasoning_content: reasoning, refusal } = generation.message?.additional_kwargs ?? {};
  const usage = usageOf(generation, output);
  return {
    content: [generation.text, message.content, refusal].find(isText) ?? "",
    toolCalls: toolCallsOf(message),
    message,
    model: isText(answered) ? answered : asked,
    ...(isText(reasoning) ? { reasoning } : {}),
    ...(isText(finishReason) ? { finishReason } : {}),
    ...(usage === undefined ? {} : { usage }),
  };
}

/** LangChain hands the arguments of a call on as JSON, and a bare text as it is. */
export function argumentsIn(input: string): unknown {
  try {
    const parsed: unknown = JSON.parse(input);
    return typeof parsed === "object" ? parsed : input;
  } catch {
    return input;
  }
}

/** A tool's result as the model gets it: what a message of it holds, else the result itself. */
export function outputIn(result: unknown): unknown {
  const content = typeof result === "object" ? (result as { content?: unknown } | null)?.content : undefined;
  return content ?? result ?? null;
}
