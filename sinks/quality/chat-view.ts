import { offeredIn, saidBy } from "./read-said.ts";
import { type RecordView, type Said, saidIn } from "./record.ts";

const numberOr = (value: unknown): number | null => (typeof value === "number" ? value : null);

/** What a user says first, also where the assistant greeted before. */
function asked(messages: readonly Said[]): string {
  const said = messages.slice(messages.findIndex(({ role }) => role === "user"));
  const answered = said.findIndex(({ role }) => role === "assistant");
  return said
    .slice(0, answered === -1 ? said.length : answered)
    .filter(({ role }) => role === "user")
    .map(({ content }) => content)
    .join("\n");
}

function conversationOf(raw: Record<string, unknown>): Pick<RecordView, "prompt" | "answers"> | undefined {
  if (raw.messages !== undefined) {
    const messages = saidBy(raw.messages, "user");
    const first = messages.findIndex(({ role }) => role === "assistant");
    if (first === -1) return { prompt: messages, answers: [[]] };
    return { prompt: messages.slice(0, first), answers: [messages.slice(first)] };
  }
  if (raw.prompt === undefined) return undefined;
  const answers = "chosen" in raw ? [raw.chosen, raw.rejected] : [raw.completion];
  return {
    prompt: saidBy(raw.prompt, "user"),
    answers: answers.map((answer) => saidBy(answer, "assistant")),
  };
}

/** A record with `messages`, or with a `prompt` and what follows it; undefined for any other. */
export function chatView(raw: Record<string, unknown>): RecordView | undefined {
  const conversation = conversationOf(raw);
  if (conversation === undefined) return undefined;
  const tools = offeredIn(raw.tools);
  return {
    ...conversation,
    task: asked(saidIn(conversation)),
    group: typeof raw.group_id === "string" ? raw.group_id : null,
    reward: "reward" in raw ? numberOr(raw.reward) : undefined,
    label: typeof raw.label === "boolean" ? raw.label : null,
    tools,
    toolCharacters: tools.length === 0 ? 0 : JSON.stringify(raw.tools).length,
  };
}
