import { AtlasError } from "../errors/atlas-error.ts";
import { type FunctionJudge, JUDGE_SCOPES } from "./judge.ts";

/** What a function judge is made of. */
export interface JudgeDefinition {
  /** The name under which rubrics weigh it. */
  name: string;
  /** What it scores: the session, unless told. */
  scope?: FunctionJudge["scope"] | undefined;
  /** 0 or more; 1 unless told. What the rules say of the name goes before it. */
  weight?: number | undefined;
  /** Milliseconds until a score is too late; 30,000 unless told. A function that never awaits cannot be interrupted. */
  timeoutMs?: number | undefined;
  /**
   * Scores a session, or `context.step` of it, from 0 to 1. It gets a trace of its own, as it is recorded: masked, and
   * without any score.
   */
  judge: FunctionJudge["judge"];
}

const TIMEOUT_MS = 30_000;

const invalid = (message: string): AtlasError => new AtlasError("ATLAS_RUN_INVALID", message);

/**
 * Makes a judge of a function, so that verifiable rewards mix with judged ones. What it throws, and a score that is not
 * from 0 to 1, is recorded as a failed judgement.
 *
 * @throws AtlasError ATLAS_RUN_INVALID
 * @example
 * const brief = defineJudge({ name: "brief", judge: ({ final_answer }) => ((final_answer ?? "").length < 500 ? 1 : 0) });
 * await atlas.run({ task: "Find the bug", judges: [brief] });
 */
export function defineJudge({
  name,
  scope = "session",
  weight,
  timeoutMs,
  judge,
}: JudgeDefinition): FunctionJudge {
  if (typeof name !== "string" || name.trim() === "") throw invalid("a judge needs a name");
  if (!JUDGE_SCOPES.includes(scope)) throw invalid(`the scope of ${name} is not ${JUDGE_SCOPES.join(", ")}`);
  if (typeof judge !== "function") throw invalid(`the judge ${name} has no function`);
  if (weight !== undefined && !(Number.isFinite(weight) && weight >= 0))
    throw invalid(`the weight of ${name} must be 0 or more`);
  const limit = timeoutMs ?? TIMEOUT_MS;
  if (!(limit > 0 && limit < 2 ** 31))
    throw invalid(`timeoutMs of ${name} must be above 0 and below 25 days`);
  return { kind: "function", name, scope, weight, timeoutMs: limit, judge };
}
