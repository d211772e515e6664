import { isObject } from "../../traces/clean-text.ts";
import { offeredIn, parsed, saidBy, saidOf } from "./read-said.ts";
import type { OfferedTool, RecordView, Said } from "./record.ts";

/** An event of a trajectory: its name in the log and its fields. */
interface Told {
  name: string;
  fields: Record<string, unknown>;
}

function toldBy(value: unknown): Told[] {
  const event = isObject(value) ? value.event : undefined;
  const payload = isObject(event) ? event.payload : undefined;
  if (!isObject(payload) || !isObject(payload.metadata) || !isObject(payload.data)) return [];
  const data = payload.data.input ?? payload.data.output;
  const fields = isObject(data) ? parsed(data.value) : undefined;
  return isObject(fields) ? [{ name: String(payload.metadata.event), fields }] : [];
}

const isSilent = ({ content, calls }: Said): boolean => content.trim() === "" && calls.length === 0;

function toolsIn(events: readonly Told[]): { tools: OfferedTool[]; toolCharacters: number } {
  const byName = new Map<string, OfferedTool>();
  for (const { name, fields } of events) {
    if (name !== "SessionStarted" && !(name === "ModelCallStarted" && fields.role === "student")) continue;
    for (const tool of offeredIn(fields.tools)) byName.set(tool.name, tool);
  }
  const tools = [...byName.values()];
  return { tools, toolCharacters: tools.length === 0 ? 0 : JSON.stringify(tools).length };
}

/** What was said: as it was recorded, else what the agent's model answered, else what the steps gave. */
function conversationIn(raw: Record<string, unknown>, events: readonly Told[]): Said[] {
  const recorded = events
    .filter(({ name }) => name === "MessageRecorded")
    .map(({ fields }) => saidOf(parsed(fields.message)));
  if (recorded.length > 0) return recorded;
  const answered = events.flatMap(({ name, fields }): Said[] => {
    if (name === "ToolCallEnded")
      return typeof fields.output === "string" ? [saidOf({ role: "tool", content: fields.output })] : [];
    if (name !== "ModelCallEnded" || fields.role !== "student") return [];
    const { content, tool_calls, reasoning } = fields;
    const calls = typeof tool_calls === "string" ? parsed(tool_calls) : tool_calls;
    return [saidOf({ role: "assistant", content, tool_calls: calls, reasoning_content: reasoning })];
  });
  const steps = Array.isArray(raw.steps) ? (raw.steps as unknown[]) : [];
  const given = steps.map((step) => saidOf({ role: "assistant", content: isObject(step) && step.output }));
  const said = answered.some(({ role }) => role === "assistant") ? answered : [...answered, ...given];
  const last = said.findLast(({ role }) => role === "assistant");
  const isRepeated = last?.content === raw.final_answer;
  return [...saidBy(raw.task, "user"), ...said, ...(isRepeated ? [] : saidBy(raw.final_answer, "assistant"))];
}

/** A line of the format `atlas`; undefined for any other record. */
export function atlasView(raw: Record<string, unknown>): RecordView | undefined {
  if (!Array.isArray(raw.trajectory_events) || !isObject(raw.session_metadata)) return undefined;
  const events = (raw.trajectory_events as unknown[]).flatMap(toldBy);
  const said = conversationIn(raw, events).filter((each) => each.role !== "assistant" || !isSilent(each));
  const first = said.findIndex(({ role }) => role === "assistant");
  const isAnswered = typeof raw.final_answer === "string" && raw.final_answer.trim() !== "" && first !== -1;
  const reward = isObject(raw.session_reward) ? raw.session_reward.score : null;
  const { group_id } = raw.session_metadata;
  return {
    task: typeof raw.task === "string" ? raw.task : "",
    group: typeof group_id === "string" ? group_id : null,
    reward: typeof reward === "number" ? reward : null,
    label: null,
    prompt: first === -1 ? said : said.slice(0, first),
    answers: [isAnswered ? said.slice(first) : []],
    ...toolsIn(events),
  };
}
