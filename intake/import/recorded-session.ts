import { learningKeyOf } from "../../recording/learning-key.ts";
import type { Draft, Uuid } from "../../schemas/generated/events.ts";
import { idOf } from "../../schemas/identity.ts";
import type { Masked, Masking } from "../../schemas/masked.ts";
import { type ChatMessage, textOf } from "../chat/message.ts";
import { contentHash } from "../exact-json.ts";
import type { Format, RecordedConversation } from "../formats/format.ts";
import type { ConversationFacts } from "./conversation-facts.ts";
import { type Emit, eventWriter } from "./event-writer.ts";
import { type Moment, type SessionTimes, timesOf } from "./recorded-times.ts";
import { emitTurns } from "./recorded-turns.ts";
import { usageOf } from "./recorded-usage.ts";
import { restoredEvents } from "./restored-events.ts";

/** How a recorded conversation becomes a session. */
export interface SessionOptions {
  /** The recorded one, else derived from agent, tags, tenant and task. */
  learningKey?: string | undefined;
  /** Where a conversation without recorded times begins, in microseconds; each message follows by one. */
  assumedStart: number;
  /** The rules that everything derived from the session works by. */
  rulesHash: string;
  /** The mask of the log that the session is for. */
  mask: Masking;
}

/** What a session is made from. */
export interface Recording {
  format: Pick<Format, "name" | "translation">;
  conversation: RecordedConversation;
  facts: ConversationFacts;
}

/** A session that was recorded elsewhere. */
export interface RecordedSession {
  events: Masked[];
  /** Ids of the same recording under earlier translations of its format, the latest first. */
  earlier: Uuid[];
  /** It comes back as it was in the log that it is from. */
  isRestored?: boolean | undefined;
}

/** The judge that gave the recorded reward. */
export const RECORDED_JUDGE = "recorded";

/** What a recording was known by before formats had translations. */
const idBefore = (hash: string, learningKey: string): Uuid => idOf("recorded", hash, learningKey);

const idUnder = (hash: string, learningKey: string, format: string, translation: number): Uuid =>
  idOf("recorded", hash, learningKey, `${format}@${translation}`);

/**
 * The session that a recorded conversation was: each answer of the agent opens a step, to which the results of its tool
 * calls belong. The same conversation gives the same ids whenever and wherever it is imported.
 *
 * @example
 * await log.append(sessionOf(recording, { assumedStart: 0, rulesHash, mask: log.mask }).events);
 */
export function sessionOf(
  { format, conversation, facts }: Recording,
  options: SessionOptions,
): RecordedSession {
  if (conversation.session !== undefined)
    return { events: restoredEvents(conversation.session, options), earlier: [], isRestored: true };
  const { agent = "recorded", tags = [], tenant } = conversation;
  const { task } = facts;
  const learningKey =
    options.learningKey ?? conversation.learningKey ?? learningKeyOf({ agent, task, tags, tenant });
  const hash = contentHash(conversation.content);
  const { name, translation } = format;
  const sessionId = idUnder(hash, learningKey, name, translation);
  const earlier = Array.from({ length: translation - 1 }, (_, index) =>
    idUnder(hash, learningKey, name, translation - 1 - index),
  );
  const times = timesOf(conversation, options.assumedStart);
  const events: Masked[] = [];
  const emit = eventWriter(sessionId, events, options.mask);

  emit("SessionStarted", times.start, {
    ...startOf(conversation, facts),
    agent,
    tags,
    learning_key: learningKey,
    format: name,
    translation,
  });
  emitTurns(conversation.messages, times.messages, facts.task, emit);
  emitEnd(conversation, times, learningKey, emit);
  const judgements = emitJudgements(facts, times.end, emit);
  emit("SessionJudged", times.end, {
    learning_key: learningKey,
    judgements,
    missing: judgements.length === 0 ? [RECORDED_JUDGE] : [],
    rules_hash: options.rulesHash,
  });
  return { events, earlier: [...earlier, idBefore(hash, learningKey)] };
}

type Start = Omit<Draft<"SessionStarted">, "learning_key" | "agent" | "tags">;

const isInstruction = ({ role }: ChatMessage): boolean => role === "system" || role === "developer";

function startOf(conversation: RecordedConversation, { task, metadata }: ConversationFacts): Start {
  const { messages, tools, id, project, tenant, groupId, rollout, groundTruth } = conversation;
  // One with a name is somebody's word in the conversation: an example, or what a program told the model.
  const system = messages.find(({ message }) => isInstruction(message) && !message.name);
  const isToolUser = messages.some(({ message }) => message.tool_calls || message.function_call);
  return {
    task,
    agent_kind: "recorded",
    origin: "import",
    external_id: id ?? null,
    project: project ?? null,
    tenant: tenant ?? null,
    group_id: groupId ?? null,
    rollout: rollout ?? null,
    ground_truth: groundTruth ?? null,
    executor_system_prompt: textOf(system?.message) ?? null,
    metadata: metadata ?? null,
    tools: tools === undefined ? null : JSON.stringify(tools),
    tools_source: tools !== undefined ? "declared" : isToolUser ? "observed" : null,
  };
}

function emitEnd(
  { messages, status = "succeeded", error, usage, cost }: RecordedConversation,
  { start, end }: SessionTimes,
  learning_key: string,
  emit: Emit,
): void {
  const answers = messages
    .filter(({ message }) => message.role === "assistant")
    .map(({ message }) => textOf(message));
  const measured = !start.assumed && !end.assumed;
  const costs = messages.map((each) => each.cost).filter((each) => each !== undefined);
  emit("SessionEnded", end, {
    learning_key,
    status,
    final_answer: answers.findLast((answer) => answer !== undefined && answer !== "") ?? null,
    error: error ?? null,
    usage: usageOf(usage === undefined ? messages.map((each) => each.usage) : [usage]),
    cost: cost ?? (costs.length === 0 ? null : costs.reduce((sum, each) => sum + each, 0)),
    duration_us: measured ? end.at - start.at : null,
  });
}

function emitJudgements({ reward, scores }: ConversationFacts, end: Moment, emit: Emit): Uuid[] {
  const judgements: Uuid[] = [];
  if (reward !== undefined)
    return [emit("JudgementMade", end, { judge: RECORDED_JUDGE, stage: "recorded", score: reward })];
  for (const { judge, score, rationale } of scores)
    judgements.push(
      emit("JudgementMade", end, { judge, stage: "recorded", score, rationale: rationale ?? null }),
    );
  return judgements;
}
