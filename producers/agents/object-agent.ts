import { AtlasError } from "../../errors/atlas-error.ts";
import type { Agent, AgentContext, AgentInput } from "./agent.ts";
import { answerText } from "./answer-text.ts";
import { langchainHandler } from "./langchain-handler.ts";
import { promptText } from "./prompt-text.ts";

/** An agent that plans, acts on its plan, and sums up what came of it. Only `act` is needed. */
export interface PlanningObject {
  plan?(prompt: string, input: AgentInput, ctx: AgentContext): unknown;
  act(prompt: string, input: AgentInput & { plan: unknown }, ctx: AgentContext): unknown;
  summarize?(
    prompt: string,
    input: AgentInput & { plan: unknown; outcome: unknown },
    ctx: AgentContext,
  ): unknown;
}

/** An agent in the way of LangChain's runnables; with its callbacks, what happens inside is recorded. */
export interface InvokableObject {
  invoke(prompt: string, options: { signal: AbortSignal; callbacks: unknown[] }): unknown;
}

/** An agent that answers a prompt. */
export interface GeneratingObject {
  generate(prompt: string, options: { signal: AbortSignal }): unknown;
}

type Work = (input: AgentInput, ctx: AgentContext) => unknown;

const has = <K extends string>(object: object, method: K): object is Record<K, unknown> =>
  typeof (object as Record<string, unknown>)[method] === "function";

async function inPhases(object: PlanningObject, input: AgentInput, ctx: AgentContext): Promise<unknown> {
  const prompt = promptText(input);
  const plan = await object.plan?.(prompt, input, ctx);
  input.signal.throwIfAborted();
  const outcome = await object.act(prompt, { ...input, plan }, ctx);
  if (object.summarize === undefined) return outcome;
  input.signal.throwIfAborted();
  return object.summarize(prompt, { ...input, plan, outcome }, ctx);
}

function workOf(object: object): Work | undefined {
  if (has(object, "act")) return (input, ctx) => inPhases(object as unknown as PlanningObject, input, ctx);
  if (has(object, "invoke")) {
    const invokable = object as unknown as InvokableObject;
    return (input, ctx) =>
      invokable.invoke(promptText(input), { signal: input.signal, callbacks: [langchainHandler(ctx)] });
  }
  if (!has(object, "generate")) return undefined;
  const generating = object as unknown as GeneratingObject;
  return (input) => generating.generate(promptText(input), { signal: input.signal });
}

/**
 * Makes an agent of an object that has `plan/act/summarize`, `invoke` or `generate`, asked for in this order.
 *
 * @throws AtlasError ATLAS_AGENT_FAILED when it has none of them
 * @example
 * const agent = agentOf(myAgent, { name: "mine" });
 */
export function agentOf(
  object: PlanningObject | InvokableObject | GeneratingObject,
  { name }: { name?: string } = {},
): Agent {
  const work = workOf(object);
  if (work === undefined) {
    throw new AtlasError("ATLAS_AGENT_FAILED", "the object has none of act, invoke and generate", {
      hint: "Give it one of them, or wrap a function with functionAgent.",
    });
  }
  const own = (object as { name?: unknown }).name;
  return {
    name: name ?? (typeof own === "string" && own !== "" ? own : "object"),
    kind: "object",
    async invoke(input, ctx) {
      return answerText(await work(input, ctx), input.signal);
    },
  };
}
