import { AtlasError } from "../errors/atlas-error.ts";
import { nestsRepeats } from "../guards/nested-repeats.ts";
import type { SessionTrace } from "../traces/session-trace.ts";
import { defineJudge, type JudgeDefinition } from "./define-judge.ts";
import type { FunctionJudge } from "./judge.ts";

type Named = Pick<JudgeDefinition, "name" | "scope" | "weight">;

function toolCallsOf({ events }: SessionTrace, stepId: number | undefined): number {
  return events.filter(
    (event) => event.type === "ToolCallStarted" && (stepId === undefined || event.step_id === stepId),
  ).length;
}

/**
 * Scores how few tools were called: 1 up to `max`, and above it `max` divided by the calls.
 *
 * @param max 1 or more, of a session or of a step
 * @example
 * toolCallBudget({ name: "budget", max: 10 });
 */
export const toolCallBudget = ({ max, ...named }: Named & { max: number }): FunctionJudge =>
  defineJudge({
    ...named,
    judge(trace, { step }) {
      const calls = toolCallsOf(trace, step?.step_id);
      const rationale = `${calls} tool calls, ${max} allowed`;
      return { score: calls <= max ? 1 : max / calls, uncertainty: 0, rationale };
    },
  });

/**
 * Scores 1 where the final answer (of a step, its output) matches a pattern, else 0; the other way round with
 * `expect: "no_match"`. No answer matches nothing.
 *
 * @param pattern a regular expression without slashes, that does not repeat a repetition without limit
 * @throws AtlasError ATLAS_RUN_INVALID for a pattern such as `(a+)+`
 * @example
 * answerMatches({ name: "cites", pattern: "\\[\\d+\\]" });
 */
export function answerMatches({
  pattern,
  flags = "u",
  expect = "match",
  ...named
}: Named & {
  pattern: string;
  flags?: string | undefined;
  expect?: "match" | "no_match" | undefined;
}): FunctionJudge {
  if (nestsRepeats(pattern))
    throw new AtlasError(
      "ATLAS_RUN_INVALID",
      `the pattern of ${named.name} repeats a repetition without limit, as (a+)+ does, which can take for ever`,
      { hint: "Limit the outer repetition, as in (a+){1,8}." },
    );
  return defineJudge({
    ...named,
    judge(trace, { step }) {
      const answer = (step === undefined ? trace.final_answer : step.output) ?? "";
      // A new one each time: one with the flags g or y remembers where it stopped.
      const matches = new RegExp(pattern, flags).test(answer);
      const rationale = `the answer ${matches ? "matches" : "does not match"} ${pattern}`;
      return { score: matches === (expect === "match") ? 1 : 0, uncertainty: 0, rationale };
    },
  });
}
