import { isObject } from "../../traces/clean-text.ts";
import { isMessage } from "../chat/read-messages.ts";
import { instructionsOf, isPart, listed, oneOfBatch, toolsOf, transcript } from "./payload.ts";
import { parsedText, type Said } from "./said.ts";

/** Names under which a request or the state of an agent keeps its messages, those that say most come first. */
const LISTS = [
  "messages",
  "contents",
  "input_messages",
  "history",
  "chat_history",
  "input",
  "prompt",
] as const;
/** Names of a question that is a text. */
const QUESTIONS = [
  "input",
  "prompt",
  "question",
  "query",
  "user_input",
  "task",
  "text",
  "content",
  "prompts",
] as const;
/** What functions were called with, by those that record every function. */
const WRAPPERS = ["kwargs", "args", "inputs", "request", "body", "state"] as const;

const said = (text: string): unknown[] => [{ role: "user", content: text }];

function inList(given: unknown[]): Said {
  const list = oneOfBatch(given);
  if (list.length === 0) return {};
  const all = listed(list);
  if (all.asked!.every(isMessage)) return all;
  if (list.every(isPart)) return { asked: [{ role: "user", content: list }] };
  // Among messages may stand what is none: it is told where the messages are read.
  if (all.asked!.some(isMessage)) return all;
  for (const item of list) {
    const found = isObject(item) ? askedIn(item) : {};
    if (found.asked !== undefined) return found;
  }
  return {};
}

function inObject(given: Record<string, unknown>): Said {
  if (isMessage(given)) return { asked: [given] };
  const beside = { tools: toolsOf(given), instructions: instructionsOf(given) };
  for (const name of LISTS) {
    const value = parsedText(given[name]);
    if (!Array.isArray(value) || value.length === 0) continue;
    const found = inList(value as unknown[]);
    if (found.asked === undefined) continue;
    // A question beside the history comes after it.
    const isHistory = name === "chat_history" || name === "history";
    const question = isHistory ? questionIn(given) : undefined;
    return {
      ...beside,
      ...(found.tools && { tools: found.tools }),
      asked: [...found.asked, ...(question === undefined ? [] : said(question))],
    };
  }
  const question = questionIn(given);
  if (question !== undefined) return { ...beside, asked: said(question) };
  for (const name of [...LISTS, ...WRAPPERS]) {
    const value = parsedText(given[name]);
    if (typeof value !== "object" || value === null) continue;
    const found = askedIn(value);
    if (found.asked !== undefined) return { ...beside, ...found, tools: found.tools ?? beside.tools };
  }
  return beside;
}

function questionIn(given: Record<string, unknown>): string | undefined {
  for (const name of QUESTIONS) {
    const value = given[name];
    const text = Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value;
    if (typeof text === "string" && text !== "") return text;
  }
  return undefined;
}

/**
 * What a model or an agent was asked, from the input that was recorded of it: messages, the request of any provider, the
 * state of an agent, arguments of a function, or a text.
 */
export function askedIn(input: unknown): Said {
  const given = parsedText(input);
  if (typeof given === "string") return given === "" ? {} : { asked: transcript(given) ?? said(given) };
  if (Array.isArray(given)) return inList(given as unknown[]);
  return isObject(given) ? inObject(given) : {};
}
