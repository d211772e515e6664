import type { ChatMessage, ToolCall } from "../../models/model-client.ts";
import { withCallProblems } from "../../models/sound-calls.ts";

/** Whether it is a text that says something. */
export const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

const ROLES: Readonly<Record<string, ChatMessage["role"]>> = {
  human: "user",
  user: "user",
  ai: "assistant",
  assistant: "assistant",
  system: "system",
  developer: "developer",
  tool: "tool",
};

interface LangchainMessage {
  content?: unknown;
  role?: unknown;
  type?: unknown;
  getType?: unknown;
  _getType?: unknown;
  tool_calls?: unknown;
  invalid_tool_calls?: unknown;
  /** Of a message that was streamed: what the model wrote. */
  tool_call_chunks?: unknown;
  tool_call_id?: unknown;
  additional_kwargs?: { refusal?: unknown };
  response_metadata?: { finish_reason?: unknown; stop_reason?: unknown };
}

function typeOf(message: LangchainMessage): unknown {
  const tell = message.getType ?? message._getType;
  return typeof tell === "function" ? tell.call(message) : (message.role ?? message.type);
}

interface LangchainCall {
  id?: string;
  name?: string;
  /** Text, as the model wrote it, in calls that LangChain could not read. */
  args?: unknown;
  /** What is wrong with it. */
  error?: unknown;
}

const chatCall = ({ id, name = "", args, error }: LangchainCall) => ({
  id: id ?? name,
  type: "function",
  function: { name, arguments: typeof args === "string" ? args : JSON.stringify(args ?? {}) },
  ...(typeof error === "string" ? { error } : {}),
});

/** With an error in each call that cannot be read, or in which the answer was cut off. */
function withProblems(message: ChatMessage, { response_metadata: told }: LangchainMessage): ChatMessage {
  const calls = message.tool_calls as { id: string; function: Pick<ToolCall, "name" | "arguments"> }[];
  const finishReason = told?.finish_reason ?? told?.stop_reason;
  const toolCalls = calls.map(({ id, function: called }) => ({ id, ...called }));
  const cut = typeof finishReason === "string" ? { finishReason } : {};
  return withCallProblems({ content: "", toolCalls, message, model: "", ...cut }).message;
}

const callsIn = (list: unknown): LangchainCall[] => (Array.isArray(list) ? (list as LangchainCall[]) : []);

/** LangChain reads half of a call's arguments as if they were whole. */
function asWritten(call: LangchainCall, written: readonly LangchainCall[]): LangchainCall {
  const args = written.find(({ id }) => id !== undefined && id === call.id)?.args;
  return isText(args) ? { ...call, args } : call;
}

/** A message of LangChain.js, or a plain one, in the shape of OpenAI's chat API. */
export function langchainMessage(value: unknown): ChatMessage {
  if (typeof value === "string") return { role: "user", content: value };
  const message = (value ?? {}) as LangchainMessage;
  const written = callsIn(message.tool_call_chunks);
  const read = callsIn(message.tool_calls).map((call) => asWritten(call, written));
  const calls = [...read, ...callsIn(message.invalid_tool_calls)];
  const isChatShape = calls.length > 0 && "function" in calls[0]!;
  const refusal = message.additional_kwargs?.refusal;
  const chat: ChatMessage = {
    role: ROLES[String(typeOf(message))] ?? "user",
    content: (message.content ?? "") as NonNullable<ChatMessage["content"]>,
    ...(calls.length === 0 ? {} : { tool_calls: isChatShape ? calls : calls.map(chatCall) }),
    ...(typeof message.tool_call_id === "string" ? { tool_call_id: message.tool_call_id } : {}),
    ...(isText(refusal) ? { refusal } : {}),
  };
  return calls.length === 0 || isChatShape ? chat : withProblems(chat, message);
}
