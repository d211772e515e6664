import { type Agent, type AgentContext, type AgentInput, type AgentReply, defineAgent } from "./agent.ts";
import { isPieces, joinedPieces, type Pieces } from "./joined-pieces.ts";

/** Answers a task, at once or in pieces; what else it is told and may record is there when it wants it. */
export type AgentFunction = (
  task: string,
  input: AgentInput,
  ctx: AgentContext,
) => AgentReply | string | Pieces | Promise<AgentReply | string | Pieces>;

/**
 * An agent that is a function, an async function, or an async generator whose pieces make the answer.
 *
 * @param name the function's own name unless told
 * @example
 * const agent = functionAgent(async (task) => answer(task), { name: "mine" });
 */
export const functionAgent = (fn: AgentFunction, { name }: { name?: string } = {}): Agent =>
  defineAgent({
    name: name ?? (fn.name || "function"),
    async invoke(input, ctx) {
      const answer = await fn(input.task, input, ctx);
      return isPieces(answer) ? joinedPieces(answer, input.signal) : answer;
    },
  });
