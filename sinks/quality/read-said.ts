import { isObject } from "../../traces/clean-text.ts";
import type { OfferedTool, Said, SaidCall } from "./record.ts";

const NO_TEXT = "\ufffc";

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return content == null ? "" : NO_TEXT;
  return (content as unknown[])
    .map((part) => {
      if (typeof part === "string") return part;
      return isObject(part) && typeof part.text === "string" ? part.text : NO_TEXT;
    })
    .join("");
}

/** The value of JSON text; undefined for what is none. */
export function parsed(text: unknown): unknown {
  if (typeof text !== "string") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function callOf(value: unknown): SaidCall {
  const called = isObject(value) && isObject(value.function) ? value.function : value;
  if (!isObject(called)) return { name: "", arguments: undefined, text: "" };
  const name = typeof called.name === "string" ? called.name : "";
  const given = called.arguments;
  if (typeof given === "string") return { name, arguments: given === "" ? {} : parsed(given), text: given };
  return { name, arguments: given ?? {}, text: JSON.stringify(given ?? {}) };
}

/** A message as chat formats write it. */
export function saidOf(value: unknown): Said {
  if (!isObject(value)) return { role: "", content: textOf(value), reasoning: "", calls: [] };
  const { role, content, refusal, reasoning_content, tool_calls } = value;
  const text = textOf(content);
  return {
    role: typeof role === "string" ? role : "",
    content: text === "" && typeof refusal === "string" ? refusal : text,
    reasoning: typeof reasoning_content === "string" ? reasoning_content : "",
    calls: Array.isArray(tool_calls) ? (tool_calls as unknown[]).map(callOf) : [],
  };
}

/** Messages: a list, or a text that someone says. */
export function saidBy(value: unknown, role: string): Said[] {
  if (Array.isArray(value)) return (value as unknown[]).map(saidOf);
  return typeof value === "string" ? [{ role, content: value, reasoning: "", calls: [] }] : [];
}

/** The tools of a list, or of its JSON text. */
export function offeredIn(value: unknown): OfferedTool[] {
  const list = typeof value === "string" ? parsed(value) : value;
  return (Array.isArray(list) ? (list as unknown[]) : []).flatMap((each) => {
    const tool = isObject(each) && isObject(each.function) ? each.function : each;
    if (!isObject(tool) || typeof tool.name !== "string") return [];
    return [{ name: tool.name, parameters: tool.parameters ?? tool.input_schema }];
  });
}
