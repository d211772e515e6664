export type Json = Record<string, unknown>;

export const ELSEWHERE = {
  timestamp: "the time of a message",
  type: "what an event is: a message, a call, a result",
};

let seconds = 0;
export const at = () => new Date(Date.UTC(2026, 2, 1, 9, 0, seconds++)).toISOString();

const common = {
  isSidechain: false,
  userType: "external",
  cwd: "/home/dev/shop",
  sessionId: "s-main",
  version: "2.1.4",
  gitBranch: "main",
};

export const event = (uuid: string, parentUuid: string | null, fields: Json): Json => ({
  parentUuid,
  ...common,
  uuid,
  timestamp: at(),
  ...fields,
});

export const user = (uuid: string, parent: string | null, content: unknown, more: Json = {}) =>
  event(uuid, parent, { type: "user", message: { role: "user", content }, ...more });

export const assistant = (uuid: string, parent: string | null, id: string, part: Json, more: Json = {}) =>
  event(uuid, parent, {
    type: "assistant",
    requestId: `req-${id}`,
    message: {
      id,
      type: "message",
      role: "assistant",
      model: "claude-test-1",
      content: [part],
      stop_reason: null,
      usage: {
        input_tokens: 3,
        cache_creation_input_tokens: 20,
        cache_read_input_tokens: 100,
        output_tokens: 7,
      },
    },
    ...more,
  });

export const text = (said: string) => ({ type: "text", text: said });
export const use = (id: string, name: string, input: unknown) => ({ type: "tool_use", id, name, input });
export const result = (id: string, content: unknown, more: Json = {}) => [
  { type: "tool_result", tool_use_id: id, content, ...more },
];
