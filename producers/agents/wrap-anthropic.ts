import type { Message, RawMessageStreamEvent } from "@anthropic-ai/sdk/resources/messages";
import { EventJoiner } from "../../models/anthropic-events.ts";
import { anthropicReply } from "../../models/anthropic-reply.ts";
import type { ChatMessage, ModelRequest } from "../../models/model-client.ts";
import { withHalfCall } from "../../models/sound-calls.ts";
import type { AgentContext } from "./agent.ts";
import { type CreateFormat, recordedCreate, withMethods } from "./wrap-create.ts";

interface AnthropicTool {
  name: string;
  description?: string;
  input_schema?: Record<string, unknown>;
}

function requestOf(params: Record<string, unknown>): ModelRequest {
  const { model: _, messages, system, tools, temperature, top_p, max_tokens, ...extra } = params;
  const opening = system === undefined ? [] : [{ role: "system", content: system }];
  return {
    messages: [...opening, ...(messages as unknown[])] as ChatMessage[],
    ...(tools === undefined
      ? {}
      : {
          tools: (tools as AnthropicTool[]).map(({ input_schema = {}, ...tool }) => ({
            ...tool,
            parameters: input_schema,
          })),
        }),
    ...(typeof temperature === "number" ? { temperature } : {}),
    ...(typeof top_p === "number" ? { topP: top_p } : {}),
    ...(typeof max_tokens === "number" ? { maxTokens: max_tokens } : {}),
    extra,
  };
}

const FORMAT: CreateFormat<RawMessageStreamEvent> = {
  provider: "anthropic",
  requestOf,
  replyOf: (answer) => anthropicReply(answer as Message),
  joiner() {
    const joiner = new EventJoiner();
    return {
      add: (event) => joiner.add(event),
      reply() {
        const reply = anthropicReply(joiner.message());
        return joiner.complete ? reply : withHalfCall(reply);
      },
    };
  },
};

/**
 * A client of Anthropic's SDK whose `messages.create` is recorded in the attempt, and so are `messages.stream` and
 * `messages.parse`. Answers, streams and errors are the SDK's own; everything else of the client is as it was.
 *
 * @example
 * const client = wrapAnthropic(new Anthropic(), ctx);
 * const message = await client.messages.create({ model, max_tokens: 1024, messages });
 */
export const wrapAnthropic = <T extends object>(client: T, ctx: AgentContext): T =>
  withMethods(client, [
    { path: ["messages", "create"], replace: (create) => recordedCreate(ctx, create, FORMAT, client) },
  ]);
