import { isObject } from "../../traces/clean-text.ts";
import type { ChatMessage } from "./message.ts";
import { roleMessages } from "./role-message.ts";

/** Whether a value keeps its content under `parts` that have types, as OpenTelemetry and the AI SDK write them. */
export const isPartsMessage = ({ role, parts, content }: Record<string, unknown>): boolean =>
  role !== undefined &&
  content === undefined &&
  Array.isArray(parts) &&
  parts.every((part) => isObject(part) && typeof part.type === "string");

/** The messages that such a value is. */
export function partsMessages(value: Record<string, unknown>): ChatMessage[] | string {
  const { parts, ...rest } = value;
  return roleMessages({ ...rest, content: parts });
}
