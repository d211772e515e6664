import type {
  AtlasEvent,
  MessageRecorded,
  ModelCallEnded,
  ModelCallStarted,
} from "../../schemas/generated/events.ts";
import { isObject, jsonValue } from "../../traces/clean-text.ts";
import type { SessionTrace, TraceAttempt, TraceStep } from "../../traces/session-trace.ts";
import { stepsThatRan } from "../../traces/step-record.ts";
import { type ChatMessage, chatOf, heardOf, type Inexpressible } from "./chat-message.ts";
import { type ChatTool, declaredTools, toolsOf } from "./tools.ts";

/** What was said to the agent, and what it made of it. */
export interface Conversation {
  /** Null for that of a whole session. */
  stepId: number | null;
  attempt: number | null;
  /** What there was before the agent's first word. */
  prompt: ChatMessage[];
  /** The agent's turns, with the results of its tools and what it was told between them. */
  completion: ChatMessage[];
  tools: ChatTool[];
}

/** Why a session gives no conversation. */
export type NoConversation = Inexpressible | "no-conversation" | "rejected";

interface Place {
  step_id?: number | null;
  attempt?: number | null;
}

const studentCalls = (events: readonly AtlasEvent[], within: (event: Place) => boolean): ModelCallStarted[] =>
  events.filter(
    (event): event is ModelCallStarted =>
      event.type === "ModelCallStarted" && event.role === "student" && within(event),
  );

const recordedMessages = (events: readonly AtlasEvent[], within: (event: Place) => boolean): unknown[] =>
  events
    .filter((event): event is MessageRecorded => event.type === "MessageRecorded" && within(event))
    .sort((a, b) => a.index - b.index)
    .map(({ message }) => jsonValue(message));

const messagesOf = ({ messages }: ModelCallStarted): unknown[] => {
  const value = jsonValue(messages);
  return Array.isArray(value) ? (value as unknown[]) : [];
};

function converse(
  place: Pick<Conversation, "stepId" | "attempt">,
  values: readonly unknown[],
  calls: readonly ModelCallStarted[],
  /** Those of the messages that came before this attempt. */
  before: readonly unknown[] = [],
): Conversation | Inexpressible {
  const messages = chatOf(values);
  if (typeof messages === "string") return messages;
  const from = heardOf(before);
  const first = messages.findIndex(({ role }, index) => index >= from && role === "assistant");
  if (first === -1) return "nothing-answered";
  return {
    ...place,
    prompt: messages.slice(0, first),
    completion: messages.slice(first),
    tools: toolsOf(calls, messages),
  };
}

const same = (a: unknown, b: unknown): boolean =>
  isObject(a) && isObject(b) && a.role === b.role && JSON.stringify(a.content) === JSON.stringify(b.content);

/** A call that was answered, and its answer as a message. */
function lastAnswered(events: readonly AtlasEvent[], calls: readonly ModelCallStarted[]) {
  const ended = new Map(
    events
      .filter((event): event is ModelCallEnded => event.type === "ModelCallEnded" && event.error == null)
      .map((event) => [event.call_id, event]),
  );
  const call = calls.findLast(({ call_id }) => ended.has(call_id));
  if (call === undefined) return undefined;
  const { content, tool_calls, reasoning } = ended.get(call.call_id)!;
  return {
    messages: messagesOf(call),
    reply: { role: "assistant", content, tool_calls: jsonValue(tool_calls), reasoning_content: reasoning },
  };
}

/** What is known of an attempt whose words nobody recorded: what was asked for, and what came out. */
function outline(trace: SessionTrace, step: TraceStep, attempt: TraceAttempt): unknown[] {
  const { task = "", executor_system_prompt: system } = trace.started ?? {};
  const content = step.description === task ? task : `${task}\n\n${step.description}`;
  return [
    ...(system == null ? [] : [{ role: "system", content: system }]),
    { role: "user", content },
    { role: "assistant", content: attempt.output },
  ];
}

/**
 * The conversation of one attempt: as the agent recorded it, else the last call of its model, which holds all that was
 * said before, else what was asked for and what came out.
 */
export function attemptConversation(
  trace: SessionTrace,
  step: TraceStep,
  attempt: TraceAttempt,
): Conversation | Inexpressible {
  const within = (event: Place): boolean =>
    event.step_id === step.step_id && event.attempt === attempt.attempt;
  const calls = studentCalls(trace.events, within);
  const recorded = recordedMessages(trace.events, within);
  const answered = lastAnswered(trace.events, calls);
  const place = { stepId: step.step_id, attempt: attempt.attempt };
  // What an agent recorded of a later attempt may only go on with the attempt before it.
  const goesOn = answered?.messages.slice(1).some((message) => same(message, recorded[0])) ?? false;
  if (recorded.length > 0 && !goesOn) return converse(place, recorded, calls);
  if (answered === undefined) return converse(place, outline(trace, step, attempt), calls);
  const before = messagesOf(calls[0]!);
  return converse(place, [...answered.messages, answered.reply], calls, before);
}

/** True for one conversation that runs through the whole session, as recorded ones do. */
const isRecorded = ({ started }: SessionTrace): boolean => started !== null && started.origin !== "run";

function recordedConversation(trace: SessionTrace): Conversation | NoConversation {
  const messages = recordedMessages(trace.events, () => true);
  if (messages.length === 0) return "no-conversation";
  const conversation = converse({ stepId: null, attempt: null }, messages, []);
  if (typeof conversation === "string") return conversation;
  // What the Python SDK recorded says nothing of tools.
  if (trace.started?.origin === "migration") return conversation;
  return { ...conversation, tools: declaredTools(trace) };
}

/** What becomes of the answers that a teacher rejected on the way to the one that was accepted. */
export interface ConversationOptions {
  /**
   * `leave-out`: the accepted work follows on what was asked before there was guidance, which is all that the agent
   * will have the next time. `keep`: what was rejected and the guidance stand in the prompt, as the model saw them.
   */
  rejected: "leave-out" | "keep";
}

/** The accepted attempt at a step; undefined where the teacher rejected the last one. */
function acceptedOf({ attempts, status }: TraceStep): TraceAttempt | undefined {
  const last = attempts.at(-1);
  return status === "succeeded" && last?.validation?.verdict !== "invalid" ? last : undefined;
}

/** The conversation of a step's accepted attempt. */
function acceptedConversation(
  trace: SessionTrace,
  step: TraceStep,
  { rejected }: ConversationOptions,
): Conversation | NoConversation {
  const accepted = acceptedOf(step);
  if (accepted === undefined) return "rejected";
  const seen = attemptConversation(trace, step, accepted);
  const [first] = step.attempts;
  if (typeof seen === "string" || rejected === "keep" || first === accepted) return seen;
  const asked = attemptConversation(trace, step, first!);
  return typeof asked === "string" ? asked : { ...seen, prompt: asked.prompt };
}

/**
 * What a session has to teach: a recorded session its one conversation, a run the accepted attempt of each step that
 * succeeded.
 *
 * @returns why there is nothing, where there is nothing
 */
export function conversationsOf(
  trace: SessionTrace,
  options: ConversationOptions,
): Conversation[] | NoConversation {
  if (isRecorded(trace)) {
    const recorded = recordedConversation(trace);
    if (recorded !== "no-conversation") return typeof recorded === "string" ? recorded : [recorded];
  }
  const found: Conversation[] = [];
  let reason: NoConversation = "no-conversation";
  for (const step of stepsThatRan(trace)) {
    if (step.attempts.length === 0 || step.status !== "succeeded") continue;
    const conversation = acceptedConversation(trace, step, options);
    if (typeof conversation === "string") reason = conversation;
    else found.push(conversation);
  }
  return found.length === 0 ? reason : found;
}

const isPrompted = ({ role }: ChatMessage): boolean => role !== "system";

/** The steps of a run one after the other: each goes on with what it was asked for. */
function stepsInTurn(conversations: readonly Conversation[]): Conversation {
  const [first, ...others] = conversations as [Conversation, ...Conversation[]];
  const tools = new Map(
    conversations.flatMap((each) => each.tools.map((tool) => [tool.function.name, tool] as const)),
  );
  return {
    stepId: others.length === 0 ? first.stepId : null,
    attempt: null,
    prompt: first.prompt,
    completion: [
      ...first.completion,
      ...others.flatMap(({ prompt, completion }) => [...prompt.filter(isPrompted), ...completion]),
    ],
    tools: [...tools.values()],
  };
}

/**
 * A session as one conversation from its task to its answer, with the calls of tools and their results: a recorded one
 * as it was, a run step by step. A run of which no step can be told has its task and its answer.
 */
export function wholeConversation(trace: SessionTrace): Conversation | NoConversation {
  if (isRecorded(trace)) {
    const recorded = recordedConversation(trace);
    if (recorded !== "no-conversation") return recorded;
  }
  const steps = conversationsOf(trace, { rejected: "leave-out" });
  if (typeof steps !== "string") return stepsInTurn(steps);
  const { task, executor_system_prompt: system } = trace.started ?? {};
  if (task === undefined) return "no-conversation";
  const values = [
    ...(system == null ? [] : [{ role: "system", content: system }]),
    { role: "user", content: task },
    { role: "assistant", content: trace.final_answer },
  ];
  return converse({ stepId: null, attempt: null }, values, []);
}
