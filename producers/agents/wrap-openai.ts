import type { ChatCompletion, ChatCompletionChunk } from "openai/resources/chat/completions";
import type {
  ChatMessage,
  ModelReply,
  ModelRequest,
  ToolCall,
  ToolDefinition,
} from "../../models/model-client.ts";
import { ChunkJoiner } from "../../models/openai-chunks.ts";
import { openaiReply } from "../../models/openai-reply.ts";
import { withHalfCall } from "../../models/sound-calls.ts";
import { textOf } from "../../schemas/json-text.ts";
import type { AgentContext } from "./agent.ts";
import { RESPONSES } from "./openai-responses.ts";
import { type CreateFormat, recordedCreate, withMethods } from "./wrap-create.ts";

const PROVIDER = "openai";

function requestOf(params: Record<string, unknown>): ModelRequest {
  const {
    model: _,
    messages,
    functions,
    tools = functions,
    temperature,
    top_p,
    max_tokens,
    max_completion_tokens,
    ...extra
  } = params;
  const limit = max_completion_tokens ?? max_tokens;
  const offered = (tools ?? []) as { function?: ToolDefinition; name?: string }[];
  return {
    messages: messages as ChatMessage[],
    ...(tools === undefined
      ? {}
      : { tools: offered.map((tool) => tool.function ?? (tool as unknown as ToolDefinition)) }),
    ...(typeof temperature === "number" ? { temperature } : {}),
    ...(typeof top_p === "number" ? { topP: top_p } : {}),
    ...(typeof limit === "number" ? { maxTokens: limit } : {}),
    extra,
  };
}

const asked = { provider: PROVIDER, model: "unknown" };

/** What is called with `functions`, which `tools` came after, is a call too. */
function replyOf(completion: ChatCompletion): ModelReply {
  const reply = openaiReply(completion, asked);
  const { function_call: called } = reply.message as { function_call?: Partial<ToolCall> | null };
  if (typeof called?.name !== "string" || reply.toolCalls.length > 0) return reply;
  return { ...reply, toolCalls: [{ id: "", name: called.name, arguments: textOf(called.arguments) ?? "" }] };
}

const FORMAT: CreateFormat<ChatCompletionChunk> = {
  provider: PROVIDER,
  requestOf,
  replyOf: (answer) => replyOf(answer as ChatCompletion),
  joiner() {
    const joiner = new ChunkJoiner();
    return {
      add: (chunk) => joiner.add(chunk),
      reply() {
        const reply = replyOf(joiner.completion());
        return joiner.complete ? reply : withHalfCall(reply);
      },
    };
  },
};

/**
 * A client of the openai SDK whose `chat.completions.create` and `responses.create` are recorded in the attempt, and
 * so are their `stream` and `parse`, and `runTools`. Answers, streams and errors are the SDK's own; everything else of the client is as it was.
 *
 * @example
 * const client = wrapOpenAI(new OpenAI(), ctx);
 * const completion = await client.chat.completions.create({ model, messages });
 */
export const wrapOpenAI = <T extends object>(client: T, ctx: AgentContext): T =>
  withMethods(client, [
    {
      path: ["chat", "completions", "create"],
      replace: (create) => recordedCreate(ctx, create, FORMAT, client),
    },
    {
      path: ["responses", "create"],
      replace: (create) => recordedCreate(ctx, create, RESPONSES, client),
    },
  ]);
