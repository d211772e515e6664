import type { ChatCompletion, ChatCompletionChunk } from "openai/resources/chat/completions";
import type { ChatMessage, ModelRequest, ToolDefinition } from "../../models/model-client.ts";
import { ChunkJoiner } from "../../models/openai-chunks.ts";
import { openaiReply } from "../../models/openai-reply.ts";
import { withHalfCall } from "../../models/sound-calls.ts";
import type { AgentContext } from "./agent.ts";
import { RESPONSES } from "./openai-responses.ts";
import { type CreateFormat, recordedCreate, withMethods } from "./wrap-create.ts";

const PROVIDER = "openai";

function requestOf(params: Record<string, unknown>): ModelRequest {
  const {
    model: _,
    messages,
    tools,
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

const FORMAT: CreateFormat<ChatCompletionChunk> = {
  provider: PROVIDER,
  requestOf,
  replyOf: (answer) => openaiReply(answer as ChatCompletion, asked),
  joiner() {
    const joiner = new ChunkJoiner();
    return {
      add: (chunk) => joiner.add(chunk),
      reply() {
        const reply = openaiReply(joiner.completion(), asked);
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
