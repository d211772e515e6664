import { learningKeyOf } from "../../recording/learning-key.ts";
import { createEvent } from "../../schemas/codec.ts";
import type { Draft, EventType, Meta, Micros, Uuid } from "../../schemas/generated/events.ts";
import { idOf } from "../../schemas/identity.ts";
import type { Masked, Masking } from "../../schemas/masked.ts";
import { splitContent } from "../../traces/content.ts";
import { type RecordedRow, textOf } from "./recorded-row.ts";
import { type Moment, timesOf } from "./recorded-times.ts";
import { pairToolCalls, type RecordedToolCall, resultOf } from "./recorded-tool-calls.ts";

/** How a recorded conversation becomes a session. */
export interface SessionOptions {
  /** The recorded one, else derived from agent, tags, tenant and task. */
  learningKey?: string | undefined;
  /** Where a conversation without recorded times begins; each message follows by a microsecond. */
  assumedStart: Micros;
  /** The rules that everything derived from the session works by. */
  rulesHash: string;
  /** The mask of the log that the session is for. */
  mask: Masking;
}

/** The judge that gave the recorded reward. */
export const RECORDED_JUDGE = "recorded";

const ATTEMPT = 1;

type Emit = <T extends EventType>(type: T, moment: Moment, draft: Draft<T>) => Uuid;

function eventWriter(sessionId: Uuid, events: Masked[], mask: Masking): Emit {
  let sequence = 0;
  const nextMeta = ({ at, assumed }: Moment): Meta => {
    sequence += 1;
    return {
      event_id: idOf(sessionId, sequence),
      session_id: sessionId,
      source: sessionId,
      sequence,
      occurred_at: at,
      time_assumed: assumed,
    };
  };
  return (type, moment, draft) => {
    const event = mask(createEvent(type, nextMeta(moment), draft));
    for (const part of splitContent(event, () => nextMeta(moment))) events.push(part);
    return event.meta.event_id;
  };
}

function descriptionOf(calls: readonly RecordedToolCall[]): string {
  return calls.length === 0 ? "Answer" : `Call ${calls.map(({ name }) => name).join(", ")}`;
}

/**
 * The session that a recorded conversation was: each assistant message opens a step, to which the results of its
 * tool calls belong. The same conversation gives the same ids whenever and wherever it is imported.
 *
 * @example
 * await log.append(sessionEvents(row, { assumedStart: 0, rulesHash, mask: log.mask }));
 */
export function sessionEvents(row: RecordedRow, options: SessionOptions): Masked[] {
  const { agent, task, tags, tenant } = row;
  const learningKey = options.learningKey ?? row.learningKey ?? learningKeyOf({ agent, task, tags, tenant });
  const sessionId = idOf("recorded", row.contentHash, learningKey);
  const times = timesOf(row, options.assumedStart);
  const last = times.messages.at(-1)!;
  const events: Masked[] = [];
  const emit = eventWriter(sessionId, events, options.mask);

  emit("SessionStarted", times.start, startOf(row, learningKey));
  emitTurns(row, times.messages, emit);
  const answers = row.messages
    .filter(({ value }) => value.role === "assistant")
    .map(({ value }) => textOf(value));
  const measured = !times.start.assumed && !last.assumed;
  emit("SessionEnded", last, {
    learning_key: learningKey,
    status: row.status,
    final_answer: answers.findLast((answer) => answer !== undefined && answer !== "") ?? null,
    duration_us: measured ? last.at - times.start.at : null,
  });
  const judgements: Uuid[] = [];
  if (row.reward !== undefined) {
    const judgement = { judge: RECORDED_JUDGE, stage: "recorded", score: row.reward };
    judgements.push(emit("JudgementMade", last, judgement));
  }
  const missing = judgements.length === 0 ? [RECORDED_JUDGE] : [];
  emit("SessionJudged", last, {
    learning_key: learningKey,
    judgements,
    missing,
    rules_hash: options.rulesHash,
  });
  return events;
}

function startOf(row: RecordedRow, learningKey: string): Draft<"SessionStarted"> {
  const system = row.messages.find(({ value }) => value.role === "system" || value.role === "developer");
  return {
    task: row.task,
    learning_key: learningKey,
    agent: row.agent,
    agent_kind: "recorded",
    origin: "import",
    external_id: row.id ?? null,
    project: row.project ?? null,
    tenant: row.tenant ?? null,
    tags: row.tags,
    executor_system_prompt: textOf(system?.value) ?? null,
    metadata: row.metadata ?? null,
  };
}

function emitTurns({ messages }: RecordedRow, times: readonly Moment[], emit: Emit): void {
  const { callsOf, answeredBy } = pairToolCalls(messages);
  let steps = 0;
  let closeStep: ((moment: Moment) => void) | undefined;

  messages.forEach((message, index) => {
    const moment = times[index]!;
    const { role } = message.value;
    const isResult = role === "tool" || role === "function";
    if (!isResult && closeStep !== undefined) {
      closeStep(times[index - 1]!);
      closeStep = undefined;
    }
    if (role === "assistant") {
      steps += 1;
      const calls = callsOf.get(index)!;
      const tool = calls.length === 1 ? calls[0]!.name : null;
      emit("StepStarted", moment, { step_id: steps, description: descriptionOf(calls), tool });
      emit("AttemptStarted", moment, { step_id: steps, attempt: ATTEMPT });
      closeStep = (end) => emitStepEnd(steps, textOf(message.value) ?? null, calls, end, emit);
    }
    const answered = answeredBy.get(index);
    const step_id = answered?.stepId ?? (closeStep === undefined ? null : steps);
    const attempt = step_id === null ? null : ATTEMPT;
    emit("MessageRecorded", moment, { index, role, message: message.raw, step_id, attempt });
    for (const call of role === "assistant" ? callsOf.get(index)! : []) {
      const { callId: call_id, name, arguments: text } = call;
      emit("ToolCallStarted", moment, { call_id, step_id, attempt, name, arguments: text });
    }
    if (answered !== undefined) {
      const { callId: call_id, name } = answered;
      emit("ToolCallEnded", moment, { call_id, step_id, attempt, name, output: resultOf(message) });
    }
  });
  closeStep?.(times.at(-1)!);
}

function emitStepEnd(
  step_id: number,
  output: string | null,
  calls: readonly RecordedToolCall[],
  end: Moment,
  emit: Emit,
): void {
  for (const { callId: call_id, name, resultAt } of calls) {
    if (resultAt !== undefined) continue;
    emit("ToolCallEnded", end, { call_id, step_id, attempt: ATTEMPT, name, error: "no result recorded" });
  }
  emit("AttemptEnded", end, { step_id, attempt: ATTEMPT, status: "completed", output });
  emit("StepEnded", end, { step_id, status: "succeeded", attempts: ATTEMPT, output });
}
