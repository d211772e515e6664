import { isObject } from "../../traces/clean-text.ts";
import { isMessage } from "../chat/read-messages.ts";
import { toolDefinitions } from "../chat/tool-definitions.ts";
import { parsedText, type Said } from "./said.ts";

/** The one list in a list of one: LangChain asks a model for several prompts at once. */
export const oneOfBatch = (list: unknown[]): unknown[] =>
  Array.isArray(list[0]) ? (list[0] as unknown[]) : list;

const isTyped = (value: unknown): boolean => isObject(value) && typeof value.type === "string";

/** Whether a value is a part of a message, and no message by itself. */
export const isPart = (value: unknown): boolean =>
  typeof value === "string" || (isTyped(value) && !isMessage(value));

/** A message in a wrapper, as events of the Semantic Kernel and choices of providers have it. */
export function unwrapped(value: unknown): unknown {
  if (!isObject(value)) return value;
  const { "gen_ai.event.content": content, message, ...rest } = value;
  if (typeof content === "string") {
    const inner = parsedText(content);
    return isObject(inner) ? unwrapped(inner) : { role: rest.role ?? "user", content };
  }
  const inner = parsedText(message);
  if (value.role === undefined && isObject(inner) && isMessage(inner)) return inner;
  return value;
}

/** A definition of a tool that LangGraph writes among the messages. */
const definitionIn = (value: unknown): unknown =>
  isObject(value) &&
  value.role === "tool" &&
  value.tool_call_id === undefined &&
  isObject(value.content) &&
  isObject(value.content.function)
    ? value.content
    : undefined;

/** Takes definitions of tools out of a list of messages. */
export function listed(values: readonly unknown[]): Pick<Said, "asked" | "tools"> {
  const all = values.map((value) => unwrapped(parsedText(value)));
  const tools = toolDefinitions(all.map(definitionIn).filter((found) => found !== undefined));
  return { asked: all.filter((value) => definitionIn(value) === undefined), tools };
}

const TURN = /^(system|user|assistant|tool): /;

/** A conversation that was written as one text, a turn begins with its role. */
export function transcript(text: string): unknown[] | undefined {
  if (!TURN.test(text)) return undefined;
  return text.split(/\n(?=(?:system|user|assistant|tool): )/).map((turn) => {
    const at = turn.indexOf(": ");
    return { role: turn.slice(0, at), content: turn.slice(at + 2) };
  });
}

const TOOLS = ["tools", "functions", "tool_definitions", "toolDefinitions", "available_tools"] as const;

/** Definitions of tools in a request or a reply. */
export function toolsOf(payload: Record<string, unknown>): Said["tools"] {
  for (const holder of [payload, payload.config, payload.toolConfig, payload.kwargs]) {
    if (!isObject(holder)) continue;
    for (const name of TOOLS) {
      const found = toolDefinitions(holder[name]);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

const INSTRUCTIONS = [
  "instructions",
  "system",
  "system_instruction",
  "systemInstruction",
  "system_prompt",
] as const;

/** The system prompt that stands beside messages. */
export function instructionsOf(payload: Record<string, unknown>): unknown {
  for (const holder of [payload, payload.config]) {
    if (!isObject(holder)) continue;
    for (const name of INSTRUCTIONS) {
      const found = holder[name];
      if (typeof found === "string" ? found !== "" : Array.isArray(found) || (isObject(found) && found.parts))
        return found;
    }
  }
  return undefined;
}

/** The system prompt as a message. */
export function instructing(instructions: unknown): unknown[] {
  const given = parsedText(instructions);
  if (given === undefined || given === null || given === "") return [];
  if (typeof given === "string") return [{ role: "system", content: given }];
  if (isObject(given) && Array.isArray(given.parts)) return [{ role: "system", parts: given.parts }];
  return [{ role: "system", content: Array.isArray(given) ? given : [given] }];
}
