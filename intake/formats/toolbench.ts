import { isObject } from "../../traces/clean-text.ts";
import type { ChatMessage } from "../chat/message.ts";
import { readMessages } from "../chat/read-messages.ts";
import { toolDefinitions } from "../chat/tool-definitions.ts";
import { contentHash } from "../exact-json.ts";
import { countIn } from "./benchmark-fields.ts";
import { Fields, listIn, numberIn, objectIn, present, textIn } from "./fields.ts";
import type { Format, RecordedConversation } from "./format.ts";

/** Calls of functions as calls of tools: each gets an id, and the result that comes next names it. */
function withCallIds(messages: readonly ChatMessage[]): ChatMessage[] {
  let count = 0;
  let open: string | undefined;
  return messages.map((message): ChatMessage => {
    const { function_call, ...rest } = message;
    if (message.role === "assistant" && function_call) {
      count += 1;
      open = `call-${count}`;
      const called = { ...function_call, arguments: function_call.arguments ?? "{}" };
      const call = { id: open, type: "function", function: called };
      return { ...rest, tool_calls: [...(message.tool_calls ?? []), call] };
    }
    if (message.role !== "function" || open === undefined) return message;
    const answered: ChatMessage = { ...message, role: "tool", tool_call_id: open };
    open = undefined;
    return answered;
  });
}

/** Paths whose messages the best one does not have. */
function otherPaths(paths: readonly unknown[][], best: readonly unknown[]): unknown[][] {
  const known = new Set(best.map((message) => JSON.stringify(message)));
  return paths.filter((path) => path.some((message) => !known.has(JSON.stringify(message))));
}

/** The lists of messages of a search, from its first step to the end of its best path. */
function pathsIn(generation: Fields): unknown[][] {
  const listed = (generation.take("train_messages", listIn) ?? []).filter((item) => item !== null);
  const paths = listed.filter((item) => Array.isArray(item));
  return (paths.length > 0 ? paths : [listed]).filter((path) => path.length > 0);
}

/** Won is who gave an answer. */
function endOf(
  won: boolean | undefined,
  finish: string | undefined,
): Pick<RecordedConversation, "status" | "error"> {
  if (won === true) return { status: "succeeded" };
  if (won === false)
    return { status: "failed", error: finish === undefined ? "no answer was found" : `ended by ${finish}` };
  return {};
}

function read(values: readonly unknown[]): RecordedConversation[] | string {
  const row = new Fields(values[0] as Record<string, unknown>);
  const generation = new Fields(objectIn(row.record.answer_generation) ?? {});
  const paths = pathsIn(generation);
  const best = paths.at(-1);
  if (best === undefined)
    return "answer_generation.train_messages is empty: no path of the search came to an end";
  const messages = readMessages(best);
  if (typeof messages === "string") return `answer_generation.train_messages[${paths.length - 1}]${messages}`;
  const query = textIn(generation.record.query);
  const tools = toolDefinitions(generation.record.function) ?? toolDefinitions(generation.record.functions);
  // A definition that cannot be read stays with the metadata, and those beside it.
  if (listIn(generation.record.function)?.length === tools?.length) generation.drop("function");
  const others = otherPaths(paths, best);
  const { win } = row.record;
  const total = countIn(generation.record.total_tokens);
  row.drop("answer_generation");
  return [
    {
      content: row.record,
      messages: withCallIds(messages).map((message) => ({ message })),
      task: query,
      tools,
      reward: numberIn(win),
      ...endOf(typeof win === "boolean" ? win : undefined, textIn(generation.record.finish_type)),
      groupId: query && `toolbench/${contentHash(query).slice(0, 12)}`,
      usage: total === undefined ? undefined : { total },
      metadata: present({
        ...row.rest(),
        answer_generation: generation.rest(),
        ...(others.length > 0 && { other_paths: others }),
      }),
    },
  ];
}

/** Answers of ToolBench: a search with the messages of its best path. */
export const toolbench: Format = {
  name: "toolbench",
  translation: 1,
  about: "answers of ToolBench: a search with answer_generation",
  recognizes: (value) => isObject(value) && isObject(value.answer_generation),
  read,
};
