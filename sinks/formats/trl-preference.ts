import type { SessionTrace, TraceStep } from "../../traces/session-trace.ts";
import { stepsThatRan } from "../../traces/step-record.ts";
import { attemptConversation, type NoConversation } from "./conversation.ts";
import { recordFormat } from "./record-format.ts";
import { commonOf, rowsBy, TRL_CHOICES, type TrlChosen } from "./trl.ts";

/** Pairs of a step: each attempt that the teacher rejected, against the one that the teacher then accepted. */
function pairsOf(trace: SessionTrace, step: TraceStep, options: TrlChosen): object[] | NoConversation {
  const asRow = rowsBy(options);
  const accepted = step.attempts.findLast(({ validation }) => validation?.verdict === "valid");
  if (accepted === undefined) return [];
  const rejected = step.attempts.filter(
    ({ attempt, validation }) => attempt < accepted.attempt && validation?.verdict === "invalid",
  );
  if (rejected.length === 0) return [];
  const chosen = attemptConversation(trace, step, accepted);
  if (typeof chosen === "string") return chosen;
  const pairs: object[] = [];
  let reason: NoConversation | undefined;
  for (const { attempt, ...before } of rejected) {
    const conversation = attemptConversation(trace, step, { attempt, ...before });
    if (typeof conversation === "string") {
      reason = conversation;
      continue;
    }
    const guided = step.attempts.filter(
      (later) => later.attempt > attempt && later.attempt <= accepted.attempt,
    );
    const wrong = conversation.completion.map(asRow);
    const right = chosen.completion.map(asRow);
    if (JSON.stringify(wrong) === JSON.stringify(right)) continue;
    pairs.push({
      // Both answer what was asked before there was guidance, so that it is not needed the next time.
      prompt: conversation.prompt.map(asRow),
      chosen: right,
      rejected: wrong,
      guidance: [...new Set(guided.flatMap(({ guidance }) => guidance))],
      chosen_attempt: accepted.attempt,
      rejected_attempt: attempt,
      ...commonOf(trace, chosen),
    });
  }
  return pairs.length === 0 && reason !== undefined ? reason : pairs;
}

/** TRL's conversational preferences, with an explicit prompt, from the attempts of one step. */
export const trlPreference = recordFormat("trl-preference", TRL_CHOICES, (trace, chosen) => {
  const found = stepsThatRan(trace).map((step) => pairsOf(trace, step, chosen));
  const pairs = found.flatMap((of) => (typeof of === "string" ? [] : of));
  if (pairs.length > 0) return pairs;
  return found.find((of) => typeof of === "string") ?? "no-rejected-attempt";
});
