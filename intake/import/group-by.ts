import { isObject } from "../../traces/clean-text.ts";
import { nameIn } from "../formats/fields.ts";
import type { RecordedConversation } from "../formats/format.ts";

/** The value at a path such as `info.task_id`; a field whose name has dots in it counts too. */
function valueAt(value: unknown, path: string): unknown {
  if (!isObject(value)) return undefined;
  if (Object.hasOwn(value, path)) return value[path];
  const [first = "", ...rest] = path.split(".");
  return rest.length > 0 && Object.hasOwn(value, first) ? valueAt(value[first], rest.join(".")) : undefined;
}

/**
 * The group that a conversation belongs to by a field of its recording, or of the metadata that came of it.
 *
 * @param path where the field stands, as `info.task_id`
 * @returns undefined, which is told, where there is no such field
 */
export function groupOf(
  conversation: Pick<RecordedConversation, "content" | "metadata" | "groupId" | "task">,
  path: string,
  warn: (what: string) => void,
): string | undefined {
  const found = valueAt(conversation.content, path) ?? valueAt(conversation.metadata, path);
  const name = nameIn(found) ?? (found === undefined || found === null ? undefined : JSON.stringify(found));
  if (name === undefined) warn(`there is no ${path} to group by: the session is in no group`);
  return name;
}
