import { isObject } from "../../traces/clean-text.ts";
import { type ChatMessage, textOf } from "../chat/message.ts";
import { wordsIn } from "./benchmark-fields.ts";
import { present } from "./fields.ts";

type Step = Record<string, unknown>;

/** What a step repeats of the messages, where they say it. */
const REPEATED = ["response", "thought", "action", "observation"] as const;

const wordsOf = (value: unknown): string => (typeof value === "string" ? value.trim() : "");

/** Whether a message answers a step: it holds what the model said in it. */
function isAnswer(message: ChatMessage, step: Step): boolean {
  if (message.role !== "assistant" || message.step !== undefined) return false;
  const text = (textOf(message) ?? "").trim();
  const [response, thought] = [wordsOf(step.response), wordsOf(step.thought)];
  return response !== "" ? text === response : thought !== "" ? text === thought : text === "";
}

/** What a step knows besides, such as the state of its environment. */
function besides(step: Step, said: string): Record<string, unknown> | undefined {
  const { query: _query, ...rest } = step;
  for (const name of REPEATED)
    if (typeof rest[name] === "string" && said.includes(wordsOf(rest[name]))) delete rest[name];
  return present(rest);
}

/** What was left over when the steps of a trajectory were joined to the messages. */
export interface JoinedSteps {
  messages: ChatMessage[];
  /** Steps that the history does not have: answers that were thrown away. */
  left: Step[];
}

/**
 * Joins the steps of a trajectory to the messages that they are about: each assistant's message gets as `step` what its
 * step knows besides.
 */
export function joinSteps(given: readonly ChatMessage[], steps: readonly unknown[]): JoinedSteps {
  const messages = [...given];
  const left: Step[] = [];
  let from = 0;
  for (const step of steps) {
    if (!isObject(step)) {
      left.push({ value: step });
      continue;
    }
    const at = messages.findIndex((message, index) => index >= from && isAnswer(message, step));
    if (at === -1) {
      const { query: _query, ...rest } = step;
      left.push(rest);
      continue;
    }
    const message = messages[at]!;
    const answers = messages.slice(at + 1, at + 3).map((next) => textOf(next) ?? "");
    const known = besides(
      step,
      [textOf(message), message.reasoning_content, message.action, ...answers].join("\n"),
    );
    messages[at] = known === undefined ? message : { ...message, step: known };
    from = at + 1;
  }
  return { messages, left };
}

/** Whether the steps were asked for with words that the messages do not have. */
export function isShownOtherwise(steps: readonly unknown[], messages: readonly ChatMessage[]): boolean {
  const known = new Set(messages.map((message) => (textOf(message) ?? "").trim()));
  return steps.some(
    (step) =>
      isObject(step) &&
      Array.isArray(step.query) &&
      (step.query as unknown[]).some((asked) => isObject(asked) && !known.has(wordsIn(asked.content).trim())),
  );
}

/** The messages that a trajectory without a history tells of: what the model was asked, said and saw. */
export function messagesOfSteps(steps: readonly unknown[]): { messages: unknown[]; isPrompted: boolean } {
  const [first] = steps;
  const query = isObject(first) && Array.isArray(first.query) ? (first.query as unknown[]) : [];
  const turns = steps.filter(isObject).flatMap((step): unknown[] => {
    const { response, thought, action, observation, query: _query, ...rest } = step;
    const words = [wordsOf(thought), wordsOf(action) && `\`\`\`\n${wordsOf(action)}\n\`\`\``];
    const content = wordsOf(response) ? response : words.filter((part) => part !== "").join("\n");
    const known = besides({ thought, action, ...rest }, String(content));
    return [
      { role: "assistant", content, ...(known !== undefined && { step: known }) },
      ...(wordsOf(observation) === "" ? [] : [{ role: "user", content: observation }]),
    ];
  });
  return { messages: [...query, ...turns], isPrompted: query.length > 0 };
}
