import type { SessionTrace, TraceStep } from "../../traces/session-trace.ts";
import { stepsThatRan } from "../../traces/step-record.ts";
import { attemptConversation, type NoConversation } from "./conversation.ts";
import { type GroupRecords, recordFormat } from "./record-format.ts";
import { rolloutPairs } from "./rollout-pairs.ts";
import { COMMON, commonOf, messagesBy, rowsBy, TRL_CHOICES, type TrlChosen } from "./trl.ts";

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

function recordsOf(trace: SessionTrace, chosen: TrlChosen): readonly object[] | string {
  const found = stepsThatRan(trace).map((step) => pairsOf(trace, step, chosen));
  const pairs = found.flatMap((of) => (typeof of === "string" ? [] : of));
  if (pairs.length > 0) return pairs;
  return found.find((of) => typeof of === "string") ?? "no-rejected-attempt";
}

/** Pairs within the sessions of a group, and pairs of its sessions. */
function groupRecords(traces: readonly SessionTrace[], chosen: TrlChosen): GroupRecords {
  const records: object[] = [];
  const without: Record<string, number> = {};
  const group = traces[0]?.started?.group_id ?? null;
  const between = group === null ? undefined : rolloutPairs(traces, chosen);
  for (const trace of traces) {
    const within = recordsOf(trace, chosen);
    if (typeof within !== "string") {
      const { session_id: rejected_session_id } = trace;
      for (const pair of within)
        records.push({ ...pair, group_id: group, rejected_session_id, rejected_reward: null });
      continue;
    }
    const reason = between === undefined ? within : between.reasons.get(trace);
    if (reason !== undefined) without[reason] = (without[reason] ?? 0) + 1;
  }
  return { records: [...records, ...(between?.pairs ?? [])], without };
}

/**
 * TRL's conversational preferences, with an explicit prompt: from the attempts of one step, and of the sessions of a group
 * the best one against the worst.
 */
export const trlPreference = recordFormat({
  name: "trl-preference",
  about: "A record is a prompt with a better and a worse way to go on, for DPO with TRL.",
  choices: TRL_CHOICES,
  features: (chosen) => ({
    prompt: messagesBy(chosen),
    chosen: messagesBy(chosen),
    rejected: messagesBy(chosen),
    guidance: { list: "string" },
    chosen_attempt: "int64",
    rejected_attempt: "int64",
    ...COMMON,
    group_id: "string",
    rejected_session_id: "string",
    rejected_reward: "float64",
  }),
  records: recordsOf,
  groupRecords,
});
