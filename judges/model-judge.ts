import { createHash } from "node:crypto";
import { AtlasError } from "../errors/atlas-error.ts";
import { type Prompt, versions } from "../models/prompt.ts";
import { JUDGE_SCOPES, type ModelJudge } from "./judge.ts";
import { ARBITRATION_VERSION } from "./prompts/arbitration.ts";
import { JUDGE_QUESTIONS, judgePrompt } from "./prompts/judge.ts";
import { SESSION_JUDGE } from "./prompts/session-judge.ts";

/** The name of the one judge that is asked where no judges are named. */
export const SESSION_JUDGE_NAME = "session_reward";

/** Judges whose prompts the package has. */
export const NAMED_JUDGES = [SESSION_JUDGE_NAME, "process", "helpfulness", "efficiency"] as const;

/** How a model judge is made. */
export interface ModelJudgeOptions
  extends Pick<ModelJudge, "name" | "small">,
    Partial<Omit<ModelJudge, "kind" | "prompts" | "name" | "small">> {
  /** What it looks at, in words: needed for a name that the package has no prompt of, and goes before that prompt. */
  prompt?: string | undefined;
  /** What to mind beside that, in words. */
  focus?: string | undefined;
}

export const TEMPERATURES = [0.2, 0.5, 0.8] as const;
export const SPREAD_THRESHOLD = 0.15;
export const UNCERTAINTY_THRESHOLD = 0.3;

/** Words of a user's make another prompt: they are part of its version. */
const versionOf = (words: string | undefined): string | undefined =>
  words === undefined ? undefined : createHash("sha256").update(words).digest("hex").slice(0, 12);

/** Whether the package has a prompt for judges of this name. */
export const isNamedJudge = (name: string): boolean => (NAMED_JUDGES as readonly string[]).includes(name);

function promptOf(
  { name, prompt, focus }: Pick<ModelJudgeOptions, "name" | "prompt" | "focus">,
  scope: "session" | "step",
): Prompt {
  const own = prompt === undefined ? JUDGE_QUESTIONS[name] : { name: "custom", looksAt: prompt };
  if (own === undefined)
    throw new AtlasError("ATLAS_RUN_INVALID", `a judge named ${name} needs a prompt`, {
      hint: `Say in words what it looks at, or use one of ${NAMED_JUDGES.join(", ")}.`,
    });
  const base =
    name === SESSION_JUDGE_NAME && scope === "session" && prompt === undefined
      ? SESSION_JUDGE
      : judgePrompt(own, scope);
  const words = focus === undefined ? "" : `\n\nMind in particular:\n${focus}`;
  return {
    version: versions(base.version, versionOf(prompt), versionOf(focus)) as string,
    text: `${base.text}${words}`,
  };
}

const isShare = (value: number): boolean => value >= 0 && value <= 1;

function check(options: ModelJudgeOptions): void {
  const { name, scope = "session", weight = 1, temperatures = TEMPERATURES } = options;
  const { spreadThreshold = SPREAD_THRESHOLD, uncertaintyThreshold = UNCERTAINTY_THRESHOLD } = options;
  const invalid = (message: string): AtlasError => new AtlasError("ATLAS_RUN_INVALID", message);
  if (typeof name !== "string" || name.trim() === "") throw invalid("a judge needs a name");
  if (!JUDGE_SCOPES.includes(scope)) throw invalid(`the scope of ${name} is not ${JUDGE_SCOPES.join(", ")}`);
  if (!(Number.isFinite(weight) && weight >= 0)) throw invalid(`the weight of ${name} must be 0 or more`);
  if (temperatures.length === 0)
    throw invalid(`the judge ${name} needs a temperature for each of its samples`);
  if (temperatures.some((each) => each !== null && !(each >= 0 && each <= 2)))
    throw invalid(`the temperatures of ${name} must be between 0 and 2, or null`);
  if (![spreadThreshold, uncertaintyThreshold].every(isShare))
    throw invalid(`the thresholds of ${name} must be between 0 and 1`);
}

/**
 * Makes a judge that asks models: a sample of the small model at each temperature, and the large one where they
 * disagree or are not certain.
 *
 * @throws AtlasError ATLAS_RUN_INVALID for a name that the package has no prompt of, without one, and for values that
 *   are out of range
 * @example
 * modelJudge({ name: "process", small: openaiModel({ model: "gpt-5-mini" }), large: openaiModel({ model: "gpt-5" }) });
 */
export function modelJudge(options: ModelJudgeOptions): ModelJudge {
  const { name, small, large, weight } = options;
  check(options);
  return {
    kind: "model",
    name,
    scope: options.scope ?? "session",
    weight,
    prompts: { session: promptOf(options, "session"), step: promptOf(options, "step") },
    small,
    large,
    temperatures: options.temperatures ?? TEMPERATURES,
    spreadThreshold: options.spreadThreshold ?? SPREAD_THRESHOLD,
    uncertaintyThreshold: options.uncertaintyThreshold ?? UNCERTAINTY_THRESHOLD,
  };
}

/** The version of what an arbitration asks with a judge's prompt. */
export const arbitrationVersion = ({ version }: Prompt): string =>
  versions(version, ARBITRATION_VERSION) as string;
