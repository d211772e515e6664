import { isObject } from "../../traces/clean-text.ts";
import { readMessages } from "../chat/read-messages.ts";
import { toolsIn } from "./chat-rows.ts";
import { Fields, listIn, nameIn, numberIn, objectIn, present, type Reader, textIn } from "./fields.ts";
import type { Format, ReadingContext, RecordedConversation, RecordedScore, RecordedUsage } from "./format.ts";
import { answerOf, askedOf } from "./promptfoo-messages.ts";
import { type Run, resultsIn } from "./promptfoo-results.ts";

const usageIn: Reader<RecordedUsage> = (value) => {
  if (!isObject(value)) return undefined;
  const details = objectIn(value.completionDetails);
  const usage = {
    prompt: numberIn(value.prompt),
    completion: numberIn(value.completion),
    total: numberIn(value.total),
    cached: numberIn(value.cached),
    reasoning: numberIn(details?.reasoning),
  };
  // A reply from the cache is counted as that alone.
  const isCounted = (usage.total ?? usage.prompt ?? usage.completion ?? 0) > 0;
  return isCounted ? usage : undefined;
};

const agentOf = (provider: unknown): string | undefined =>
  textIn(provider) ?? (isObject(provider) ? (textIn(provider.label) ?? textIn(provider.id)) : undefined);

/** The tools that the run's configuration gives a provider. */
function toolsOf(provider: unknown, run: Run) {
  const id = textIn(provider) ?? (isObject(provider) ? textIn(provider.id) : undefined);
  const own = isObject(provider) ? provider : undefined;
  const listed = (listIn(run.config?.providers) ?? []).filter(isObject);
  const found = own?.config !== undefined ? own : listed.find((each) => each.id === id);
  return toolsIn(objectIn(found?.config)?.tools);
}

const FAILED_BY_ERROR = 2;

/** What kept the model from answering; that an answer did not pass its tests is no such thing. */
function errorOf(row: Fields, response: Record<string, unknown> | undefined): string | undefined {
  const said = textIn(response?.error) ?? textIn(row.record.error);
  const reason = numberIn(row.record.failureReason);
  if (reason !== undefined) return reason === FAILED_BY_ERROR ? (said ?? "error") : undefined;
  if (textIn(response?.error) !== undefined) return said;
  return response?.output == null && row.record.text == null ? said : undefined;
}

function scoresOf({ record }: Fields): RecordedScore[] {
  const grading = objectIn(record.gradingResult);
  const passed = record.success ?? record.pass ?? grading?.pass;
  const score =
    numberIn(record.score) ??
    numberIn(grading?.score) ??
    (typeof passed === "boolean" ? Number(passed) : undefined);
  if (score === undefined) return [];
  return [{ judge: "promptfoo", score, rationale: textIn(grading?.reason) ?? textIn(record.error) }];
}

/** The answer that a test wants word for word. */
function wantedIn(test: Record<string, unknown> | undefined): string | undefined {
  const asserts = (listIn(test?.assert) ?? []).filter(isObject);
  return textIn(asserts.find(({ type }) => type === "equals")?.value);
}

function conversationOf(
  value: Record<string, unknown>,
  run: Run,
  context: ReadingContext,
): RecordedConversation | string {
  const row = new Fields(value);
  const asked = askedOf(row);
  if (asked === undefined) return "prompt is missing";
  const response = objectIn(row.record.response);
  const answer = answerOf(row);
  const messages = readMessages([...asked, ...answer]);
  if (typeof messages === "string") return `prompt${messages}`;
  const error = errorOf(row, response);
  const usage = usageIn(response?.tokenUsage) ?? usageIn(row.record.tokenUsage);
  const cost = numberIn(row.record.cost) ?? numberIn(response?.cost);
  const last = messages.length - 1;
  const isAnswered = messages[last]?.role === "assistant";
  const [test, prompt] = ["testIdx", "promptIdx"].map((name) => nameIn(row.record[name]));
  const where = [run.id ?? nameIn(row.record.evalId) ?? "promptfoo", test, prompt];
  return {
    content: value,
    messages: messages.map((message, index) =>
      index === last && isAnswered ? { message, usage, cost } : { message },
    ),
    id: row.take("id", nameIn),
    tools: toolsOf(row.record.provider, run),
    scores: scoresOf(row),
    status: error === undefined ? undefined : "failed",
    error,
    startedAt: context.timeOf(row.record.timestamp ?? row.record.createdAt ?? run.timestamp, "timestamp"),
    agent: agentOf(row.record.provider),
    groupId: test === undefined ? undefined : where.filter((each) => each !== undefined).join("/"),
    groundTruth: wantedIn(objectIn(row.record.testCase) ?? objectIn(row.record.test)),
    ...(!isAnswered && { usage, cost }),
    metadata: present({ ...row.rest(), evaluation: run.about }),
  };
}

function read([value]: readonly unknown[], context: ReadingContext): RecordedConversation[] | string {
  const found = resultsIn(value);
  if (found === undefined) return "there are no results in it";
  const { results, run } = found;
  const conversations: RecordedConversation[] = [];
  const seen = new Map<string, number>();
  const reasons = new Map<string, number>();
  for (const result of results) {
    const conversation = isObject(result)
      ? conversationOf(result, run, context)
      : "a result is not an object";
    if (typeof conversation === "string") {
      reasons.set(conversation, (reasons.get(conversation) ?? 0) + 1);
      continue;
    }
    const { groupId } = conversation;
    const rollout = groupId === undefined || results.length === 1 ? undefined : (seen.get(groupId) ?? 0);
    if (groupId !== undefined) seen.set(groupId, (rollout ?? 0) + 1);
    conversations.push({ ...conversation, rollout });
  }
  if (conversations.length === 0) return [...reasons.keys()][0] ?? "results is empty";
  for (const [reason, count] of reasons)
    context.note(`${count} of ${results.length} results are left out: ${reason}`);
  if (run.left.length > 0)
    context.note(`${run.left.join(", ")} of the evaluation as a whole are in none of its sessions`);
  return conversations;
}

/** What promptfoo writes with `--output`: an evaluation as JSON, or a result a line. */
export const promptfoo: Format = {
  name: "promptfoo",
  translation: 1,
  about: "results of promptfoo's evaluations, JSON or JSON lines",
  recognizes: (value) => resultsIn(value) !== undefined,
  read,
};
