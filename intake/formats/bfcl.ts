import { isObject } from "../../traces/clean-text.ts";
import { readMessages } from "../chat/read-messages.ts";
import { toolDefinitions } from "../chat/tool-definitions.ts";
import { countIn } from "./benchmark-fields.ts";
import { answerOf, type Logged, type LoggedMessage, readLog } from "./bfcl-log.ts";
import { numberAt, stepsOf } from "./bfcl-result.ts";
import { Fields, listIn, nameIn, numberIn, objectIn, textIn } from "./fields.ts";
import type {
  Format,
  ReadingContext,
  RecordedConversation,
  RecordedMessage,
  RecordedUsage,
} from "./format.ts";

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const RESULTS = ["result", "model_result", "model_result_raw"] as const;

/** What was asked in each turn, where somebody joined it to the answers, as files of scores do. */
function asked(row: Fields): unknown[][] | undefined {
  const prompt = objectIn(row.record.prompt);
  const question = listIn(row.record.question) ?? listIn(prompt?.question) ?? listIn(row.record.prompt);
  return question?.map((turn) => (Array.isArray(turn) ? (turn as unknown[]) : [turn]));
}

/** What a test of one turn was asked, where the input of its inference was logged: as messages, or as one text. */
function askedIn(log: readonly unknown[]): unknown[][] | undefined {
  const input = log.filter(isObject).find(({ role }) => role === "inference_input")?.content;
  const prompt = isObject(input) ? (input.message ?? input.messages ?? input.formatted_prompt) : input;
  const messages = listIn(prompt);
  if (messages !== undefined) return [messages];
  return textIn(prompt) === undefined ? undefined : [[{ role: "user", content: prompt }]];
}

/** Questions and answers in turn. */
function joined(questions: readonly unknown[][], result: unknown): Logged {
  const steps = stepsOf(result);
  const messages = questions.flatMap((turn, index): LoggedMessage[] => [
    ...turn.filter(isObject).map((message) => ({ message })),
    ...(steps[index] ?? []).map((given, step) => ({
      message: answerOf(given, `${index}-${step}`),
      turn: index,
      step,
    })),
  ]);
  return { messages, answers: steps.flat(), states: [] };
}

function recorded({ message, turn, step }: LoggedMessage, row: Fields): RecordedMessage[] | string {
  const at = (name: string): unknown =>
    turn === undefined || step === undefined ? undefined : numberAt(row.record[name], turn, step);
  const thought = textIn(message.reasoning_content) ?? textIn(at("reasoning_content"));
  const read = readMessages([thought === undefined ? message : { ...message, reasoning_content: thought }]);
  if (typeof read === "string") return read;
  const [prompt, completion] = [countIn(at("input_token_count")), countIn(at("output_token_count"))];
  const isCounted = prompt !== undefined || completion !== undefined;
  return read.map((each) => ({ message: each, ...(isCounted && { usage: { prompt, completion } }) }));
}

function endOf(result: unknown, stopped: string | undefined): Pick<RecordedConversation, "status" | "error"> {
  if (stopped !== undefined) return { status: "failed", error: stopped };
  const broke = typeof result === "string" && result.startsWith("Error during inference");
  return broke ? { status: "failed", error: result } : {};
}

/** Tokens of all steps together, where nobody counted them one by one. */
function usageOf({ record }: Fields): RecordedUsage | undefined {
  const [prompt, completion] = [countIn(record.input_token_count), countIn(record.output_token_count)];
  return prompt === undefined && completion === undefined ? undefined : { prompt, completion };
}

const isSummary = (value: Record<string, unknown>): boolean =>
  value.accuracy !== undefined && value.correct_count !== undefined && value.total_count !== undefined;

function read(values: readonly unknown[], { note }: ReadingContext): RecordedConversation[] | string {
  const row = new Fields(values[0] as Record<string, unknown>);
  if (isSummary(row.record)) {
    note("a row sums the scores up: it is left out");
    return [];
  }
  const name = RESULTS.find((each) => row.record[each] !== undefined && row.record[each] !== null);
  const result = name === undefined ? undefined : row.record[name];
  const log = listIn(row.record.inference_log) ?? [];
  const hasTurns = log.some((item) => isObject(item) && item.begin_of_turn_query !== undefined);
  const questions = asked(row) ?? askedIn(log);
  const spoken = questions === undefined ? undefined : joined(questions, result);
  const logged = hasTurns ? readLog(log) : spoken;
  if (logged === undefined)
    return "neither inference_log nor question says what was asked: that stands in BFCL's own data, and here are answers alone";
  const messages: RecordedMessage[] = [];
  for (const [index, each] of logged.messages.entries()) {
    const read = recorded(each, row);
    if (typeof read === "string") note(`message ${index + 1} cannot be read: it is left out: ${read}`);
    else for (const each of read) messages.push(each);
  }
  if (hasTurns) row.drop("inference_log");
  if (name !== undefined && same(stepsOf(result).flat(), logged.answers)) row.drop(name);
  const prompt = objectIn(row.record.prompt);
  const input = log.filter(isObject).find(({ role }) => role === "inference_input")?.content;
  const tools =
    logged.tools ??
    toolDefinitions(objectIn(input)?.tools) ??
    row.take("function", toolDefinitions) ??
    toolDefinitions(prompt?.function);
  const truth = row.record.possible_answer ?? row.record.ground_truth;
  const id = row.take("id", nameIn);
  return [
    {
      content: row.record,
      messages,
      id,
      tools,
      reward: numberIn(row.record.valid),
      ...endOf(result, logged.stopped),
      agent: textIn(row.record.model_name),
      usage: messages.some(({ usage }) => usage !== undefined) ? undefined : usageOf(row),
      groupId: id && `bfcl/${id}`,
      groundTruth: truth === undefined || truth === null ? undefined : JSON.stringify(truth),
      metadata: logged.states.length === 0 ? row.rest() : { ...row.rest(), states: logged.states },
    },
  ];
}

/** Results of the Berkeley Function Calling Leaderboard: a row for each test. */
export const bfcl: Format = {
  name: "bfcl",
  translation: 1,
  about: "results of the Berkeley Function Calling Leaderboard, with inference_log",
  recognizes: (value) =>
    isObject(value) &&
    value.messages === undefined &&
    (isSummary(value) || value.id !== undefined) &&
    (isSummary(value) ||
      Array.isArray(value.inference_log) ||
      (RESULTS.some((name) => value[name] !== undefined) &&
        /^(live_|multi_turn|simple|parallel|multiple|irrelevance|java|rest|exec|sql|chatable|web_search|memory|format)/.test(
          String(value.id),
        ))),
  read,
};
