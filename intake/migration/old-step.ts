import type { JsonText, PlanStep } from "../../schemas/generated/events.ts";
import type { SessionStatus } from "../../schemas/vocabulary.ts";
import { itemsOf, jsonIn, memberOf, numberIn, textIn, textsIn, type Written } from "./old-json.ts";
import { type OldReward, oldReward } from "./old-reward.ts";

/** What the teacher of the Python SDK said of an attempt. */
export interface OldVerdict {
  verdict: "valid" | "invalid" | "none";
  reason: string | undefined;
}

/** One attempt at a step. */
export interface OldAttempt {
  output: string | undefined;
  /** Undefined where nobody looked at it. */
  verdict: OldVerdict | undefined;
}

/** A step of the Python SDK. */
export interface OldStep {
  id: number;
  description: string;
  tool: string | undefined;
  toolParams: JsonText | null;
  dependsOn: number[];
  status: SessionStatus;
  output: string | undefined;
  trace: string | undefined;
  deliverable: JsonText | null;
  artifacts: JsonText | null;
  /** Everything else that was kept with the step. */
  metadata: JsonText | null;
  attempts: OldAttempt[];
  /** Notes between the attempts, oldest first. */
  guidance: string[];
  reward: OldReward | undefined;
}

const MOST_ATTEMPTS = 1000;

/** Ids are written as 2, "2", "#2" or "step_2". */
function idIn({ value }: Written): number | undefined {
  const id = typeof value === "string" ? Number(/^\D{0,8}(\d{1,9})$/.exec(value.trim())?.[1]) : value;
  return typeof id === "number" && Number.isInteger(id) && id >= 0 && id < 2 ** 31 ? id : undefined;
}

const idsIn = (array: Written): number[] => [...new Set(itemsOf(array).flatMap((item) => idIn(item) ?? []))];

/** A step of a plan; undefined where it has no id. */
export function oldPlanStep(step: Written): PlanStep | undefined {
  const id = idIn(memberOf(step, "id", "step_id"));
  if (id === undefined) return undefined;
  return {
    id,
    description: textIn(memberOf(step, "description")) ?? "",
    tool: textIn(memberOf(step, "tool")) ?? null,
    tool_params: jsonIn(memberOf(step, "tool_params")),
    depends_on: idsIn(memberOf(step, "depends_on")),
  };
}

function verdictIn(validation: Written): OldVerdict | undefined {
  const valid = memberOf(validation, "valid").value;
  const reason = textIn(memberOf(validation, "guidance")) ?? textIn(memberOf(validation, "reason"));
  if (typeof valid === "boolean") return { verdict: valid ? "valid" : "invalid", reason };
  return reason === undefined ? undefined : { verdict: "none", reason };
}

function attemptsIn(step: Written, metadata: Written, guidance: readonly string[]): OldAttempt[] {
  const evaluation = memberOf(step, "evaluation");
  const own = memberOf(step, "validation");
  const last = verdictIn(own.value === undefined ? memberOf(evaluation, "validation") : own);
  const kept = memberOf(step, "attempt_history");
  const history = itemsOf(kept.value === undefined ? memberOf(metadata, "attempt_history") : kept);
  const counted = numberIn(memberOf(step, "attempts")) ?? 1;
  const count = Math.min(Math.max(Math.round(counted), history.length, 1), MOST_ATTEMPTS);
  return Array.from({ length: count }, (_, index): OldAttempt => {
    const isLast = index === count - 1;
    const validation = memberOf(memberOf(history[index] ?? step, "evaluation"), "validation");
    const recorded = history[index] === undefined ? undefined : verdictIn(validation);
    // An attempt that another one followed was not accepted.
    const implied: OldVerdict | undefined = isLast ? last : { verdict: "invalid", reason: guidance[index] };
    const output = isLast ? textIn(memberOf(step, "output")) : textIn(memberOf(validation, "text"));
    return { output, verdict: recorded ?? implied };
  });
}

function statusOf(metadata: Written, attempts: readonly OldAttempt[]): SessionStatus {
  const said = textIn(memberOf(metadata, "status"))?.toLowerCase();
  if (said === "failed" || said === "error") return "failed";
  return attempts.at(-1)?.verdict?.verdict === "invalid" ? "failed" : "succeeded";
}

/** A step that ran; undefined where it has no id. */
export function oldStep(step: Written): OldStep | undefined {
  const id = idIn(memberOf(step, "step_id", "id"));
  if (id === undefined) return undefined;
  const metadata = memberOf(step, "metadata");
  const of = (name: string): Written => {
    const own = memberOf(step, name);
    return own.value === undefined ? memberOf(metadata, name) : own;
  };
  const guidance = textsIn(memberOf(step, "guidance"));
  const attempts = attemptsIn(step, metadata, guidance);
  const evaluated = memberOf(memberOf(step, "evaluation"), "reward");
  return {
    id,
    description: textIn(memberOf(step, "description")) ?? "",
    tool: textIn(memberOf(step, "tool")),
    toolParams: jsonIn(memberOf(step, "tool_params")),
    dependsOn: idsIn(of("depends_on")),
    status: statusOf(metadata, attempts),
    output: textIn(memberOf(step, "output")),
    trace: textIn(memberOf(step, "trace")),
    deliverable: jsonIn(of("deliverable")),
    artifacts: jsonIn(of("artifacts")),
    metadata: jsonIn(metadata),
    attempts,
    guidance,
    reward: oldReward(evaluated.value === undefined ? memberOf(step, "reward") : evaluated, {
      value: undefined,
      raw: "null",
    }),
  };
}
