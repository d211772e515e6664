import { isObject } from "../../traces/clean-text.ts";
import { resultContent } from "./content.ts";
import type { ChatMessage } from "./message.ts";
import { roleMessages } from "./role-message.ts";
import { argumentsText } from "./tool-call.ts";

const isText = (value: unknown): value is string => typeof value === "string";

/** Messages that are a part of a turn: what else the model said in one answer stands in items of its own. */
const unfinished = new WeakSet<ChatMessage>();

/** What an item of OpenAI's Responses is; a message says its role and is read as one. */
const ITEMS: Record<string, (item: Record<string, unknown>) => ChatMessage[] | string> = {
  message: ({ type: _, ...item }) => {
    const read = roleMessages(item);
    if (isText(read)) return read;
    for (const message of read) if (message.role === "assistant") unfinished.add(message);
    return read;
  },
  function_call: ({ type: _, id, call_id, name, arguments: args, ...rest }) =>
    turn({
      tool_calls: [
        {
          ...((call_id ?? id) !== undefined && { id: String(call_id ?? id) }),
          type: "function",
          function: { name: String(name), arguments: argumentsText(args) },
          ...(call_id !== undefined && id !== undefined && { item_id: id }),
          ...rest,
        },
      ],
    }),
  custom_tool_call: ({ type: _, id, call_id, name, input, ...rest }) =>
    turn({
      tool_calls: [
        {
          ...((call_id ?? id) !== undefined && { id: String(call_id ?? id) }),
          type: "custom",
          custom: { name: String(name), input: isText(input) ? input : JSON.stringify(input ?? "") },
          ...(call_id !== undefined && id !== undefined && { item_id: id }),
          ...rest,
        },
      ],
    }),
  mcp_approval_request: (item) =>
    hosted({
      type: item.type,
      id: item.id,
      name: "mcp_approval_request",
      action: without(item, "type", "id"),
    }),
  mcp_approval_response: ({ approval_request_id, ...item }) => [
    output({ type: item.type, call_id: approval_request_id, output: without(item, "type") }),
  ],
  // What a server offers is no call of the model.
  mcp_list_tools: ({ type: _, ...listed }) => turn({ mcp_list_tools: [listed] }),
  reasoning: ({ type: _, summary, content, encrypted_content, ...rest }) => {
    const texts = [summary, content]
      .flatMap((list) => (Array.isArray(list) ? (list as unknown[]) : [list]))
      .map((part) => (isObject(part) ? part.text : part))
      .filter(isText);
    const others = { ...rest, ...(encrypted_content != null && { encrypted_content }) };
    return turn({
      ...(texts.length > 0 && { reasoning_content: texts.join("\n") }),
      ...(Object.keys(others).length > 0 && { reasoning_parts: [{ type: "reasoning", ...others }] }),
    });
  },
};

const without = (item: Record<string, unknown>, ...names: string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(item).filter(([name]) => !names.includes(name)));

function turn(fields: Partial<ChatMessage>): ChatMessage[] {
  const message: ChatMessage = { role: "assistant", content: null, ...fields };
  unfinished.add(message);
  return [message];
}

function output({ type: _, call_id, output: given, ...rest }: Record<string, unknown>): ChatMessage {
  const { id, ...others } = rest;
  const isNamed = isText(call_id);
  const call = isNamed ? call_id : isText(id) ? id : undefined;
  return {
    role: "tool",
    ...(call !== undefined && { tool_call_id: call }),
    content: resultContent(given),
    ...(isNamed ? rest : others),
  };
}

/** A call of a tool that the provider ran itself: the item holds the call and what came of it. */
function hosted({
  type,
  id,
  call_id,
  output: given,
  result,
  status,
  ...rest
}: Record<string, unknown>): ChatMessage[] {
  const { name = type, arguments: args, action, ...others } = rest;
  const call = isText(call_id) ? call_id : isText(id) ? id : undefined;
  const asked = args ?? action ?? others;
  const answer = given ?? result;
  const messages = turn({
    tool_calls: [
      {
        ...(call !== undefined && { id: call }),
        type: "function",
        function: { name: String(name), arguments: argumentsText(asked) },
        ...(call !== id && id != null && { item_id: id }),
        ...(status !== undefined && { status }),
        ...(asked === others ? {} : others),
        hosted: type,
      },
    ],
  });
  if (answer === undefined || answer === null) return messages;
  return [
    ...messages,
    { role: "tool", ...(call !== undefined && { tool_call_id: call }), content: resultContent(answer) },
  ];
}

const isHosted = (type: string): boolean => type.endsWith("_call");
const isOutput = (type: string): boolean => type.endsWith("_call_output");

/** Whether a value is an item of the Responses API: its type says so. */
export const isResponsesItem = ({ type, role, from }: Record<string, unknown>): boolean => {
  if (!isText(type) || from !== undefined) return false;
  if (type === "message") return role !== undefined;
  return role === undefined && (Object.hasOwn(ITEMS, type) || isHosted(type) || isOutput(type));
};

/** The messages that an item is. */
export function responsesMessages(item: Record<string, unknown>): ChatMessage[] | string {
  const type = item.type as string;
  if (isOutput(type)) return [output(item)];
  return Object.hasOwn(ITEMS, type) ? ITEMS[type]!(item) : hosted(item);
}

const isSaid = ({ content }: ChatMessage): boolean => content !== null && content !== undefined;

/** What an item of a turn holds in lists that others of its items have too. */
const listsOf = (message: ChatMessage): [string, unknown[]][] =>
  ["reasoning_parts", "mcp_list_tools"].flatMap((name): [string, unknown[]][] => {
    const list = message[name];
    return Array.isArray(list) ? [[name, list as unknown[]]] : [];
  });

function joinLists(lists: readonly [string, unknown[]][][]): Record<string, unknown[]> {
  const joined: Record<string, unknown[]> = {};
  for (const [name, list] of lists.flat()) joined[name] = [...(joined[name] ?? []), ...list];
  return joined;
}

/** The turn that two parts make; undefined where they are two turns. */
function joinTurn(last: ChatMessage, next: ChatMessage): ChatMessage | undefined {
  if (!unfinished.has(last) || !unfinished.has(next) || (isSaid(last) && isSaid(next))) return undefined;
  const thoughts = [last.reasoning_content, next.reasoning_content].filter(isText);
  const calls = [...(last.tool_calls ?? []), ...(next.tool_calls ?? [])];
  const parts = [last.reasoning_parts, next.reasoning_parts].flatMap((list) =>
    Array.isArray(list) ? (list as unknown[]) : [],
  );
  const joined: ChatMessage = {
    ...last,
    ...next,
    ...joinLists([listsOf(last), listsOf(next)]),
    content: last.content ?? next.content ?? null,
    ...(thoughts.length > 0 && { reasoning_content: thoughts.join("\n") }),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(parts.length > 0 && { reasoning_parts: parts }),
  };
  unfinished.add(joined);
  return joined;
}

/** Puts together the reasoning, text and calls that one answer was recorded in. */
export function joinTurns(messages: readonly ChatMessage[]): ChatMessage[] {
  const turns: ChatMessage[] = [];
  for (const message of messages) {
    const last = turns.at(-1);
    const joined = last === undefined ? undefined : joinTurn(last, message);
    if (joined === undefined) turns.push(message);
    else turns.splice(-1, 1, joined);
  }
  return turns;
}
