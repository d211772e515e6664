import { randomInt } from "node:crypto";
import type { ChatMessage, ModelReply } from "./model-client.ts";

/** Mistral takes nine of these and nothing else; all others take that too. */
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const LENGTH = 9;

/**
 * An id for a call that came without one, which every provider takes back.
 *
 * @example
 * newCallId(); // "k3XbT09aQ"
 */
export const newCallId = (): string =>
  Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");

/** The blocks of Anthropic's in which the calls are. */
function withBlockIds({ blocks }: ChatMessage, ids: readonly string[]): object {
  if (!Array.isArray(blocks)) return {};
  let at = 0;
  return {
    blocks: (blocks as { type?: unknown }[]).map((block) =>
      block.type === "tool_use" ? { ...block, id: ids[at++] } : block,
    ),
  };
}

/**
 * The reply with an id for each call, and no two the same: a server that gives none, or one for several calls, still
 * has to find the results.
 *
 * @example
 * withCallIds(openaiReply(completion, asked)).toolCalls; // none of them has an empty id
 */
export function withCallIds(reply: ModelReply): ModelReply {
  const { toolCalls, message } = reply;
  const taken = new Set<unknown>();
  const ids = toolCalls.map(({ id }) => {
    const own = typeof id === "string" && id !== "" && !taken.has(id) ? id : newCallId();
    taken.add(own);
    return own;
  });
  if (toolCalls.every(({ id }, at) => id === ids[at])) return reply;
  const written: unknown = message.tool_calls;
  return {
    ...reply,
    toolCalls: toolCalls.map((call, at) => ({ ...call, id: ids[at]! })),
    message: {
      ...message,
      ...(Array.isArray(written) && {
        tool_calls: written.map((call: object, at) => ({ ...call, id: ids[at] })),
      }),
      ...withBlockIds(message, ids),
    },
  };
}
