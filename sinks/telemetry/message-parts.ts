type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What JSON text holds; the text itself where it holds none, such as after masking. */
export function parsed(text: string | null | undefined): unknown {
  if (text === null || text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function textParts(content: unknown): Fields[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", content }];
  if (!Array.isArray(content)) return [];
  return content.map((part: unknown) =>
    isObject(part) && typeof part["text"] === "string" ? { type: "text", content: part["text"] } : part,
  ) as Fields[];
}

function callPart(call: unknown): Fields {
  const { id, name, function: called, arguments: args } = isObject(call) ? call : {};
  const inner: Fields = isObject(called) ? called : { name, arguments: args };
  const given = inner["arguments"];
  return {
    type: "tool_call",
    id: id ?? null,
    name: inner["name"] ?? "",
    arguments: typeof given === "string" ? parsed(given) : given,
  };
}

/** A message of OpenAI's chat API as the conventions write one: a role, and parts. */
function messageParts(message: unknown): Fields {
  if (!isObject(message)) return { role: "user", parts: textParts(String(message)) };
  const { role = "user", content, tool_calls, tool_call_id } = message;
  if (role === "tool")
    return {
      role,
      parts: [{ type: "tool_call_response", id: tool_call_id ?? null, response: content ?? null }],
    };
  const calls = Array.isArray(tool_calls) ? tool_calls.map(callPart) : [];
  return { role, parts: [...textParts(content), ...calls] };
}

/**
 * The messages of a request as the value of `gen_ai.input.messages`.
 *
 * @param messages JSON text, as an event holds it
 */
export function inputMessages(messages: string): string {
  const read = parsed(messages);
  return JSON.stringify((Array.isArray(read) ? read : [read]).map(messageParts));
}

/** An answer, as an event holds it. */
export interface Answer {
  content?: string | null | undefined;
  reasoning?: string | null | undefined;
  /** JSON text. */
  tool_calls?: string | null | undefined;
  finish_reason?: string | null | undefined;
}

/** The answer of a model as the value of `gen_ai.output.messages`. */
export function outputMessages({ content, reasoning, tool_calls, finish_reason }: Answer): string {
  const calls = parsed(tool_calls);
  const parts = [
    ...(reasoning ? [{ type: "reasoning", content: reasoning }] : []),
    ...textParts(content ?? ""),
    ...(Array.isArray(calls) ? calls.map(callPart) : []),
  ];
  return JSON.stringify([{ role: "assistant", parts, finish_reason: finish_reason ?? "unknown" }]);
}
