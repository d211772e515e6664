import { z } from "zod";
import { block, httpUrl, text, variable } from "./schema-parts.ts";

const PROVIDERS = ["openai", "anthropic", "gemini", "simulated"] as const;

/** The keys of whatever is a language model. */
export const modelFields = {
  model: text,
  base_url: httpUrl.optional(),
  api_key_env: variable.optional(),
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().min(0).max(1).optional(),
  max_output_tokens: z.int().min(1).optional(),
  timeout_seconds: z.number().positive().max(86_400).optional().describe("Of one try."),
  retries: z.int().min(0).max(10).optional().describe("Further tries after 429, 5xx and network failures."),
  stream: z.boolean().optional().describe("Let the provider stream; the reply is whole all the same."),
  extra: z
    .record(z.string(), z.unknown())
    .optional()
    .describe("Further fields of each request, sent as they are, such as seed or reasoning_effort."),
};

/** A language model in a role of its own: teacher, judge, probe. */
export const llmSchema = block({ provider: z.enum(PROVIDERS).default("openai"), ...modelFields });
