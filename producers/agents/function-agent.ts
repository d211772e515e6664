import { type Agent, type AgentContext, type AgentInput, type AgentReply, defineAgent } from "./agent.ts";

/** Answers a task; what else it is told and may record is there when it wants it. */
export type AgentFunction = (
  task: string,
  input: AgentInput,
  ctx: AgentContext,
) => AgentReply | string | Promise<AgentReply | string>;

/**
 * An agent that is a function.
 *
 * @param name the function's own name unless told
 * @example
 * const agent = functionAgent(async (task) => answer(task), { name: "mine" });
 */
export const functionAgent = (fn: AgentFunction, { name }: { name?: string } = {}): Agent =>
  defineAgent({
    name: name ?? (fn.name || "function"),
    invoke: (input, ctx) => fn(input.task, input, ctx),
  });
