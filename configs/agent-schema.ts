import { z } from "zod";
import { modelFields } from "./model-schema.ts";
import { block, httpUrl, moduleExport, text, variable } from "./schema-parts.ts";

const modelAgent = <T extends string>(type: T) =>
  block({
    type: z.literal(type),
    name: text.optional().describe("The model's name unless told."),
    system_prompt: z.string().optional(),
    ...modelFields,
  });

const functionAgent = block({
  type: z.literal("function"),
  name: text.optional(),
  ...moduleExport("the agent"),
});

const langgraphAgent = block({
  type: z.literal("langgraph"),
  name: text.optional(),
  ...moduleExport("the compiled graph"),
  system_prompt: z.string().optional(),
  options: z.record(z.string(), z.unknown()).optional().describe("Passed on with each run of the graph."),
});

const httpAgent = block({
  type: z.literal("http"),
  name: text.optional(),
  url: httpUrl,
  method: z.enum(["POST", "PUT", "PATCH"]).optional(),
  template: z.unknown().optional().describe("The request's JSON, with {{prompt}}, {{task}}, {{guidance}}."),
  result_path: text.optional().describe("Where the answer is, such as choices[0].message.content."),
  headers: z.record(z.string(), z.string()).optional(),
  api_key_env: variable.optional().describe("Environment variable with a key, sent as a bearer token."),
  system_prompt: z.string().optional().describe("Recorded; the endpoint knows its own."),
  timeout_seconds: modelFields.timeout_seconds,
  retries: modelFields.retries,
  max_answer_mb: z
    .number()
    .positive()
    .max(1024)
    .optional()
    .describe("Most of an answer, in MiB; 16 unless told."),
});

const KINDS = ["openai", "anthropic", "gemini", "http", "function", "langgraph"];

/** What to say of a kind of agent that nobody knows. */
export const UNKNOWN_KIND = `must be ${KINDS.slice(0, -1).join(", ")} or ${KINDS.at(-1)}, or a kind that a module under plugins registers`;

/** Whether a kind of agent is not one of the package's own. */
export const isForeignKind = (kind: unknown): boolean => typeof kind === "string" && !KINDS.includes(kind);

const knownAgent = z.discriminatedUnion(
  "type",
  [
    modelAgent("openai"),
    modelAgent("anthropic"),
    modelAgent("gemini"),
    httpAgent,
    functionAgent,
    langgraphAgent,
  ],
  { error: UNKNOWN_KIND },
);

/** An agent of a registered kind, as it is checked. */
export interface RegisteredAgent {
  type: "registered";
  kind: string;
  settings: Record<string, unknown>;
}

/** An agent of a registered kind, as it is written; in code, what has a key of another kind must be of that kind. */
export interface RegisteredInput {
  /** Any text; editors still offer the names that are known. */
  type: string & Record<never, never>;
  settings?: Record<string, unknown> | undefined;
  model?: never;
  url?: never;
  import_path?: never;
}

const registeredAgent = z
  .strictObject({
    type: text.regex(new RegExp(`^(?!(?:${KINDS.join("|")})$)`), { error: UNKNOWN_KIND, abort: true }),
    settings: z.record(z.string(), z.unknown()).default({}).describe("What the agent's factory gets."),
  })
  .transform(({ type, settings }) => ({ type: "registered", kind: type, settings })) as unknown as z.ZodType<
  RegisteredAgent,
  RegisteredInput
>;

/** Who works on tasks. */
export const agentSchema = z.union([knownAgent, registeredAgent]);

/** Modules that register kinds of agents. */
export const pluginsSchema = z
  .array(text)
  .describe("Modules that call registerAgent, from this file's folder; loaded before the agent is made.");

/** What a configuration cannot ask for: a kind of agent that nobody registers. */
export const KIND_NEEDS_PLUGIN = { path: ["agent", "type"], error: UNKNOWN_KIND };

/** Says whether the kind of a configuration's agent is one that can be known. */
export const hasKind = ({
  agent,
  plugins = [],
}: {
  agent?: { type: string } | undefined;
  plugins?: readonly string[] | undefined;
}): boolean => agent?.type !== "registered" || plugins.length > 0;
