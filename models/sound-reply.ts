import type { ModelClient, ModelReply } from "./model-client.ts";
import { unusableReply } from "./model-error.ts";
import { reportedUsage } from "./reported-usage.ts";
import { withCallProblems } from "./sound-calls.ts";

const textOf = (told: unknown): string | undefined => (typeof told === "string" ? told : undefined);

/**
 * A reply of which every part has the form that events ask for: servers and clients of somebody else's promise it and
 * do not always keep it. A part of another form counts as not told.
 *
 * @throws AtlasError ATLAS_MODEL_FAILED when there is no reply at all
 */
export function soundReply(reply: ModelReply, client: ModelClient): ModelReply {
  const { provider, model } = client;
  if (typeof reply !== "object" || reply === null)
    throw unusableReply({ provider, model }, "answered with nothing");
  const { usage, finishReason, reasoning, cost, ...rest } = reply;
  const content = textOf(reply.content) ?? "";
  const reason = textOf(finishReason);
  const thoughts = textOf(reasoning);
  const toolCalls = Array.isArray(reply.toolCalls) ? reply.toolCalls : [];
  const tokens =
    usage &&
    reportedUsage({
      prompt: usage.promptTokens,
      completion: usage.completionTokens,
      total: usage.totalTokens,
      reasoning: usage.reasoningTokens,
      cached: usage.cachedTokens,
      silent: content === "" && !thoughts && toolCalls.length === 0,
    });
  const isCost = typeof cost === "number" && Number.isFinite(cost) && cost >= 0;
  return withCallProblems({
    ...rest,
    content,
    toolCalls,
    message: reply.message ?? { role: "assistant", content },
    model: textOf(reply.model) || model,
    ...(tokens === undefined ? {} : { usage: tokens }),
    ...(reason === undefined ? {} : { finishReason: reason }),
    ...(thoughts === undefined ? {} : { reasoning: thoughts }),
    ...(isCost ? { cost } : {}),
  });
}
