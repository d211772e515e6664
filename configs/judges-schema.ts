import { z } from "zod";
import { nestsRepeats } from "../guards/nested-repeats.ts";
import type { Rules } from "../schemas/rules.ts";
import { camelKeys } from "./camel-case.ts";
import { llmSchema } from "./model-schema.ts";
import { block, NESTED_REPEATS, text } from "./schema-parts.ts";

const share = z.number().min(0).max(1);

/** Judges that are asked where a `judges` block lists none. */
const USUAL = ["process", "helpfulness", "efficiency"] as const;
/** Judges whose prompts the package has. */
const WITH_PROMPT: readonly string[] = [...USUAL, "session_reward"];

/** What each type of judge has to say of itself, and may say beside that. */
const KEYS: Readonly<Record<string, { needs: readonly string[]; takes: readonly string[] }>> = {
  model: { needs: [], takes: ["prompt", "focus"] },
  function: { needs: ["import_path"], takes: ["attribute", "timeout_seconds"] },
  tool_call_budget: { needs: ["max"], takes: [] },
  regex: { needs: ["pattern"], takes: ["flags", "expect"] },
};
const OF_ONE_TYPE = [...new Set(Object.values(KEYS).flatMap(({ needs, takes }) => [...needs, ...takes]))];

const isPattern = (source: string, flags: string): boolean => {
  try {
    return new RegExp(source, flags).source !== "";
  } catch {
    return false;
  }
};

/** One judge; which keys it has is its type's business. */
const judgeSchema = z
  .strictObject({
    name: text.describe("The name under which the rubric weighs it."),
    type: z
      .enum(["model", "function", "tool_call_budget", "regex"])
      .default("model")
      .describe("Asks models, calls a function of yours, counts tool calls, or tests the final answer."),
    scope: z.enum(["session", "step", "both"]).default("session").describe("What it scores."),
    weight: z
      .number()
      .min(0)
      .optional()
      .describe("In the rubric, where rules.rubric.weights does not name it; 1 unless told."),
    enabled: z.boolean().default(true),
    prompt: text
      .optional()
      .describe("type model: what it looks at, in words; the package has a prompt for the usual names."),
    focus: text.optional().describe("type model: what to mind beside that."),
    import_path: text.optional().describe("type function: module with the judge, from this file's folder."),
    attribute: text.optional().describe("type function: name of the module's export; default unless told."),
    timeout_seconds: z
      .number()
      .positive()
      .max(86_400)
      .optional()
      .describe("type function: until a score is too late; 30 unless told."),
    max: z.int().min(1).optional().describe("type tool_call_budget: calls that still score 1."),
    pattern: text.optional().describe("type regex: a regular expression without slashes."),
    flags: z.string().optional().describe("type regex: u unless told."),
    expect: z.enum(["match", "no_match"]).optional().describe("type regex: what scores 1."),
  })
  .superRefine((judge, { addIssue }) => {
    const { needs, takes } = KEYS[judge.type]!;
    const values = judge as Readonly<Record<string, unknown>>;
    const problem = (key: string, message: string): void =>
      addIssue({ code: "custom", path: [key], message, input: values[key] });
    for (const key of needs)
      if (values[key] === undefined) problem(key, `is needed by a judge of the type ${judge.type}`);
    for (const key of OF_ONE_TYPE)
      if (values[key] !== undefined && !needs.includes(key) && !takes.includes(key))
        problem(key, `does not apply to a judge of the type ${judge.type}`);
    if (judge.type === "model" && judge.prompt === undefined && !WITH_PROMPT.includes(judge.name))
      problem("prompt", `is needed by a judge that is not one of ${WITH_PROMPT.join(", ")}`);
    if (judge.pattern !== undefined && !isPattern(judge.pattern, judge.flags ?? "u"))
      problem("pattern", "must be a regular expression, without slashes, that takes these flags");
    else if (judge.pattern !== undefined && nestsRepeats(judge.pattern)) problem("pattern", NESTED_REPEATS);
  })
  .transform(camelKeys);

/** Who scores sessions, when, and how it is settled. */
export const judgesSchema = block({
  mode: z
    .enum(["inline", "deferred"])
    .default("inline")
    .describe("Before run returns, or later by the process that hosts the consumers."),
  small_model: llmSchema
    .optional()
    .describe("Gives the samples; the model of `judge`, else of the teacher, unless told."),
  large_model: llmSchema.optional().describe("Settles contested samples; without it they stand as they are."),
  temperatures: z
    .array(z.number().min(0).max(2).nullable())
    .min(1)
    .max(20)
    .default([0.2, 0.5, 0.8])
    .describe("One sample each; null is the model's own default."),
  spread_threshold: share
    .default(0.15)
    .describe("Population standard deviation of a judge's samples above which the large model is asked."),
  uncertainty_threshold: share
    .default(0.3)
    .describe("Uncertainty of any sample above which the large model is asked."),
  parallel: z
    .int()
    .min(1)
    .max(1000)
    .default(4)
    .describe("Most model calls at a time, of all judges together."),
  list: z
    .array(judgeSchema)
    .min(1)
    .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, {
      error: "must not have two judges of the same name",
    })
    .default(
      USUAL.map((name) => ({ name, type: "model" as const, scope: "session" as const, enabled: true })),
    )
    .describe("The judges; process, helpfulness and efficiency unless told."),
}).refine(({ list }) => list.some(({ enabled }) => enabled), {
  path: ["list"],
  error: "needs a judge that is enabled",
});

/** The block, checked. */
export type JudgesConfig = z.output<typeof judgesSchema>;
/** One judge of it. */
export type JudgeConfig = JudgesConfig["list"][number];

/** Whether a model is asked to judge by what a configuration says. */
export const asksModels = ({
  judge,
  judges,
}: {
  judge?: unknown;
  judges?: JudgesConfig | undefined;
}): boolean =>
  judge !== undefined || (judges?.list.some(({ type, enabled }) => enabled && type === "model") ?? false);

/** Rules whose rubric weighs judges as they say themselves; what the rubric says goes before that. */
export function withJudgeWeights(
  rules: Rules,
  judges: readonly { name: string; weight?: number | undefined; enabled?: boolean }[],
): Rules {
  const own = judges.flatMap(({ name, weight, enabled = true }) =>
    enabled && weight !== undefined ? [[name, weight] as const] : [],
  );
  if (own.length === 0) return rules;
  const { rubric } = rules;
  return { ...rules, rubric: { ...rubric, weights: { ...Object.fromEntries(own), ...rubric.weights } } };
}
