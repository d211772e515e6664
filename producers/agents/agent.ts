import type { ChatMessage, ModelClient, ModelReply, ModelRequest } from "../../models/model-client.ts";
import type { ModelRole } from "../../schemas/vocabulary.ts";

/** The step that an agent works on. */
export interface AgentStep {
  id: number;
  description: string;
  /** Counts from 1. */
  attempt: number;
  /** What the agent answered in the attempt before, which was not accepted. */
  previous?: string;
}

/** What an agent is asked to do. */
export interface AgentInput {
  task: string;
  /** What the teacher said about the attempts before, oldest first. */
  guidance: readonly string[];
  /** Aborts when the run is cancelled or runs out of time; pass it on to what takes long. */
  signal: AbortSignal;
  step: AgentStep;
  /** Which prompts of the runtime's the task is put in, such as "plan.v2"; missing where it is the user's own words. */
  promptVersion?: string | undefined;
  /** JSON Schema of the answer, where one JSON object is wanted. */
  jsonSchema?: Record<string, unknown> | undefined;
}

/** What an agent answers; a text alone will do. */
export interface AgentReply {
  content: string;
  /** The result itself, where it is more than a text. */
  deliverable?: unknown;
  /** What else came of it, such as files. */
  artifacts?: unknown;
  /** How the agent came to its answer, as text. */
  trace?: string;
}

/** Records what an agent does inside while it works on one attempt. */
export interface AgentContext {
  /**
   * Calls a tool and records the call. Calls made inside it have it as their parent.
   *
   * @example
   * const hits = await ctx.tool("search", { query }, ({ query }) => search(query));
   */
  tool<A, R>(name: string, args: A, run: (args: A) => R | Promise<R>): Promise<R>;
  /**
   * Asks a model and records the call.
   *
   * @param role on whose behalf; the student's unless told
   * @example
   * const { content } = await ctx.model(client, { messages: [{ role: "user", content: task }] });
   */
  model(client: ModelClient, request: ModelRequest, role?: ModelRole): Promise<ModelReply>;
  /** Records a message of the conversation that the agent leads, exactly as it is. */
  message(message: ChatMessage): void;
}

/** Anything that can work on a task. */
export interface Agent {
  readonly name: string;
  /** openai, anthropic, gemini, function, or a name of one's own. */
  readonly kind: string;
  /** Told to the model each time; trainers read it. */
  readonly systemPrompt?: string | undefined;
  /** True where no model is behind it, though it looks like one. */
  readonly simulated?: boolean | undefined;
  invoke(input: AgentInput, ctx: AgentContext): AgentReply | string | Promise<AgentReply | string>;
}

/** An agent in one's own words; the kind is "function" unless told. */
export interface AgentDefinition extends Omit<Agent, "kind"> {
  readonly kind?: string;
}

/**
 * Makes an agent of anything that can answer.
 *
 * @example
 * const mine = defineAgent({
 *   name: "mine",
 *   async invoke({ task, guidance }, ctx) {
 *     const hits = await ctx.tool("search", { task }, search);
 *     return { content: summarise(hits, guidance) };
 *   },
 * });
 */
export const defineAgent = (definition: AgentDefinition): Agent => ({
  kind: definition.kind ?? "function",
  name: definition.name,
  systemPrompt: definition.systemPrompt,
  simulated: definition.simulated,
  invoke: (input, ctx) => definition.invoke(input, ctx),
});
