import { type ChatMessage, textOf } from "../chat/message.ts";
import type { RecordedMessage } from "../formats/format.ts";
import type { Emit } from "./event-writer.ts";
import type { RecordedToolCall } from "./open-calls.ts";
import type { Moment } from "./recorded-times.ts";
import { pairToolCalls, resultOf } from "./recorded-tool-calls.ts";
import { usageOf } from "./recorded-usage.ts";

const ATTEMPT = 1;
/** A step repeats no more of what was asked for; the message itself has all of it. */
const MAX_DESCRIPTION = 4000;

function described(text: string): string {
  if (text.length <= MAX_DESCRIPTION) return text;
  return `${text.slice(0, MAX_DESCRIPTION).toWellFormed()}…`;
}

/** What the agent gave in a step: its words, and its calls as JSON. */
function outputOf(message: ChatMessage, calls: readonly RecordedToolCall[]): string | null {
  const text = textOf(message);
  if (calls.length === 0) return text ?? null;
  const asked = calls.map(
    ({ name, arguments: given }) => `{"name":${JSON.stringify(name)},"arguments":${given}}`,
  );
  const written = asked.length === 1 ? asked[0]! : `[${asked.join(",")}]`;
  return text === undefined || text === "" ? written : `${text}\n${written}`;
}

/** A step that is open: what came of it is said when the next one begins. */
interface OpenStep {
  id: number;
  turn: RecordedMessage;
  calls: readonly RecordedToolCall[];
}

function emitStepEnd({ id: step_id, turn, calls }: OpenStep, end: Moment, emit: Emit): void {
  for (const { callId: call_id, name, resultAt } of calls) {
    if (resultAt !== undefined) continue;
    emit("ToolCallEnded", end, { call_id, step_id, attempt: ATTEMPT, name, error: "no result recorded" });
  }
  const output = outputOf(turn.message, calls);
  emit("AttemptEnded", end, {
    step_id,
    attempt: ATTEMPT,
    status: "completed",
    output,
    usage: usageOf([turn.usage]),
  });
  emit("StepEnded", end, { step_id, status: "succeeded", attempts: ATTEMPT, output });
}

/**
 * Says what happened in a conversation. A step begins with each answer of the agent. It is described by the situation
 * that the agent was in, which is what the user said last, and not by what the agent made of it.
 *
 * @param task what to describe a step by before the user has said anything
 */
export function emitTurns(
  messages: readonly RecordedMessage[],
  times: readonly Moment[],
  task: string,
  emit: Emit,
): void {
  const { callsOf, answeredBy } = pairToolCalls(messages.map(({ message }) => message));
  let steps = 0;
  let situation = "";
  let open: OpenStep | undefined;

  messages.forEach((turn, index) => {
    const moment = times[index]!;
    const { message } = turn;
    const { role } = message;
    const isResult = role === "tool" || role === "function";
    if (!isResult && open !== undefined) {
      emitStepEnd(open, times[index - 1]!, emit);
      open = undefined;
    }
    if (role === "user") {
      const said = textOf(message);
      const goesOn = messages[index - 1]?.message.role === "user" && situation !== "";
      if (said) situation = goesOn ? `${situation}\n${said}` : said;
    }
    const calls = role === "assistant" ? callsOf.get(index)! : [];
    if (role === "assistant") {
      steps += 1;
      const [only] = calls.length === 1 ? calls : [];
      const description = described(situation || task);
      emit("StepStarted", moment, {
        step_id: steps,
        description,
        tool: only?.name ?? null,
        tool_params: only?.arguments ?? null,
      });
      emit("AttemptStarted", moment, { step_id: steps, attempt: ATTEMPT });
      open = { id: steps, turn, calls };
    }
    const answered = answeredBy.get(index);
    const isEarly = answered !== undefined && answered.stepId > steps;
    const step_id = (isEarly ? undefined : answered?.stepId) ?? (open === undefined ? null : steps);
    const attempt = step_id === null ? null : ATTEMPT;
    emit("MessageRecorded", moment, { index, role, message: JSON.stringify(message), step_id, attempt });
    for (const { callId: call_id, name, arguments: text, resultAt } of calls) {
      emit("ToolCallStarted", moment, { call_id, step_id, attempt, name, arguments: text });
      if (resultAt === undefined || resultAt > index) continue;
      const output = resultOf(messages[resultAt]!.message);
      emit("ToolCallEnded", moment, { call_id, step_id, attempt, name, output });
    }
    if (answered === undefined || isEarly) return;
    const { callId: call_id, name } = answered;
    emit("ToolCallEnded", moment, { call_id, step_id, attempt, name, output: resultOf(message) });
  });
  if (open !== undefined) emitStepEnd(open, times.at(-1)!, emit);
}
