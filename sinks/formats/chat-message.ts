import { isObject } from "../../traces/clean-text.ts";

/** A call of a tool, in the shape of OpenAI's chat API. */
export interface ChatToolCall {
  id: string;
  type: "function";
  function: { name: string /** JSON text. */; arguments: string };
}

/** A message in the one shape that all chat formats are made of. */
export interface ChatMessage {
  role: "system" | "user" | "assistant" | "tool";
  /** Text, and nothing else; "" where there is none. */
  content: string;
  tool_calls: readonly ChatToolCall[];
  /** The call that a tool answers. */
  tool_call_id: string | null;
  /** What the model thought before it answered, where that was recorded. */
  reasoning: string | null;
}

/** Why a conversation cannot be written as chat. */
export type Inexpressible =
  | "message-malformed"
  | "content-not-text"
  | "tool-arguments-not-json"
  | "tool-call-unanswered"
  | "tool-result-without-call"
  | "nothing-answered"
  | "nothing-asked";

const ROLES: Record<string, ChatMessage["role"]> = {
  system: "system",
  developer: "system",
  user: "user",
  assistant: "assistant",
  tool: "tool",
  function: "tool",
};

/** The text of a message, of its text parts where it has parts; undefined where it holds anything else. */
function textOf(content: unknown): string | undefined {
  if (content === undefined || content === null) return "";
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return undefined;
  const texts = (content as unknown[]).map((part) => {
    if (typeof part === "string") return part;
    if (isObject(part) && typeof part.refusal === "string") return part.refusal;
    return isObject(part) && typeof part.text === "string" ? part.text : undefined;
  });
  return texts.some((text) => text === undefined) ? undefined : texts.join("");
}

/** Arguments as JSON text of an object; undefined where they are none. */
function argumentsOf(value: unknown): string | undefined {
  if (value === undefined || value === null || value === "") return "{}";
  if (isObject(value)) return JSON.stringify(value);
  if (typeof value !== "string") return undefined;
  try {
    return isObject(JSON.parse(value)) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What a call asks for: of a tool that takes free text, that text as its one argument. */
function calledBy(call: Record<string, unknown>): Record<string, unknown> {
  if (isObject(call.custom)) {
    const { name, input } = call.custom;
    return { name, arguments: JSON.stringify({ input: typeof input === "string" ? input : "" }) };
  }
  return isObject(call.function) ? call.function : call;
}

interface Draft extends Omit<ChatMessage, "tool_calls"> {
  tool_calls: ChatToolCall[];
  /** Of a result that names a function in place of a call. */
  name: string | undefined;
}

function draftOf(value: unknown, index: number): Draft | Inexpressible {
  if (!isObject(value) || typeof value.role !== "string") return "message-malformed";
  const role = Object.hasOwn(ROLES, value.role) ? ROLES[value.role]! : undefined;
  // What a model says in place of an answer is what it answers.
  const content = textOf(value.content) === "" ? textOf(value.refusal) : textOf(value.content);
  if (role === undefined) return "message-malformed";
  if (content === undefined) return "content-not-text";
  const tool_calls: ChatToolCall[] = [];
  const listed = Array.isArray(value.tool_calls) ? (value.tool_calls as unknown[]) : [];
  const legacy = isObject(value.function_call) ? [{ function: value.function_call }] : [];
  for (const call of role === "assistant" ? [...listed, ...legacy] : []) {
    if (!isObject(call)) return "message-malformed";
    const called = calledBy(call);
    if (typeof called.name !== "string") return "message-malformed";
    // Whoever recorded it knew that the arguments are not those that the model meant.
    const text = typeof call.error === "string" ? undefined : argumentsOf(called.arguments);
    if (text === undefined) return "tool-arguments-not-json";
    const id = typeof call.id === "string" && call.id !== "" ? call.id : `call_${index}_${tool_calls.length}`;
    tool_calls.push({ id, type: "function", function: { name: called.name, arguments: text } });
  }
  const text = (field: unknown): string | undefined =>
    typeof field === "string" && field !== "" ? field : undefined;
  return {
    role,
    content,
    tool_calls,
    tool_call_id: text(value.tool_call_id) ?? null,
    reasoning: (role === "assistant" ? text(value.reasoning_content) : undefined) ?? null,
    name: text(value.name),
  };
}

/** A turn without any content: it says nothing, and is left out. */
const isSilent = ({ role, content, tool_calls }: Draft): boolean =>
  role === "assistant" && content === "" && tool_calls.length === 0;

/** How many of these messages {@link chatOf} keeps where more follow. */
export const heardOf = (values: readonly unknown[]): number =>
  values.filter((value, index) => {
    const draft = draftOf(value, index);
    return typeof draft !== "string" && !isSilent(draft);
  }).length;

/** Gives calls of one id ids of their own: what answers them is told apart by its order. */
function withOwnIds(drafts: readonly Draft[]): void {
  for (const { tool_calls } of drafts) {
    const used = new Set<string>();
    for (const call of tool_calls) {
      const wanted = call.id;
      for (let again = 2; used.has(call.id); again += 1) call.id = `${wanted}_${again}`;
      used.add(call.id);
    }
  }
}

/** Puts a result that stands before its call behind it: two recorders wrote at once. */
function inOrder(drafts: readonly Draft[]): Draft[] {
  const ordered: Draft[] = [];
  const early: Draft[] = [];
  const asked = new Set<string>();
  const comes = new Map<string, number>();
  for (const [index, { tool_calls }] of drafts.entries())
    for (const { id } of tool_calls) comes.set(id, index);
  for (const [index, draft] of drafts.entries()) {
    const { tool_call_id: id } = draft;
    const isEarly = draft.role === "tool" && id !== null && !asked.has(id) && (comes.get(id) ?? -1) > index;
    if (isEarly) early.push(draft);
    else ordered.push(draft);
    for (const call of draft.tool_calls) {
      asked.add(call.id);
      const held = early.findIndex(({ tool_call_id }) => tool_call_id === call.id);
      if (held !== -1) ordered.push(early.splice(held, 1)[0]!);
    }
  }
  return ordered;
}

/** Whether a call is one of an id: itself, or one of several that had it together. */
const isOf = (call: ChatToolCall, id: string): boolean =>
  call.id === id || (call.id.startsWith(`${id}_`) && /^\d+$/.test(call.id.slice(id.length + 1)));

/** Takes the call that a result belongs to out of those that wait: by id, else by name, else the first. */
function takeCall(open: ChatToolCall[], { tool_call_id, name }: Draft): ChatToolCall | undefined {
  const exact = open.findIndex(({ id }) => id === tool_call_id);
  const at =
    exact !== -1
      ? exact
      : open.findIndex((call) => {
          if (tool_call_id !== null) return isOf(call, tool_call_id);
          return name === undefined || call.function.name === name;
        });
  return at === -1 ? undefined : open.splice(at, 1)[0];
}

/**
 * A conversation as trainers take it: every call of a tool is answered by the messages right after it, and the last
 * message is the assistant's, since there is nothing to learn from what came after it.
 *
 * @param values messages as they were recorded
 * @returns why it cannot be written so, where it cannot
 * @example
 * chatOf([{ role: "user", content: "2 + 2?" }, { role: "assistant", content: "4" }]);
 */
export function chatOf(values: readonly unknown[]): ChatMessage[] | Inexpressible {
  const found: Draft[] = [];
  for (const [index, value] of values.entries()) {
    const draft = draftOf(value, index);
    if (typeof draft === "string") return draft;
    if (!isSilent(draft)) found.push(draft);
  }
  withOwnIds(found);
  const drafts = inOrder(found);
  const last = drafts.findLastIndex(({ role }) => role === "assistant");
  if (last === -1) return "nothing-answered";
  if (!drafts.some(({ role }) => role === "user")) return "nothing-asked";
  const messages: ChatMessage[] = [];
  let open: ChatToolCall[] = [];
  for (const draft of drafts.slice(0, last + 1)) {
    const { role, content, tool_calls } = draft;
    if (role === "tool") {
      const call = takeCall(open, draft);
      if (call === undefined) return "tool-result-without-call";
      messages.push({ role, content, tool_calls: [], tool_call_id: call.id, reasoning: null });
      continue;
    }
    if (open.length > 0) return "tool-call-unanswered";
    open = [...tool_calls];
    messages.push({ role, content, tool_calls, tool_call_id: null, reasoning: draft.reasoning });
  }
  return messages;
}
