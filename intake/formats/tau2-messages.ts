import { isObject } from "../../traces/clean-text.ts";
import { withoutNulls } from "./benchmark-fields.ts";

/** What the agent was part of, and what its simulated user did out of its sight. */
export interface AgentsView {
  messages: unknown[];
  /** What the user did after the last thing that it said. */
  unheard: unknown[];
}

/** Messages one by one: results of several calls may stand in one message. */
const singly = (values: readonly unknown[]): unknown[] =>
  values.flatMap((value) => {
    if (!isObject(value) || !Array.isArray(value.tool_messages)) return [value];
    const { tool_messages, ...shared } = value;
    return (tool_messages as unknown[]).map((each) => (isObject(each) ? { ...shared, ...each } : each));
  });

const isUsersCall = ({ role, tool_calls }: Record<string, unknown>): boolean =>
  role === "user" && Array.isArray(tool_calls) && tool_calls.length > 0;

const isUsersResult = ({ role, requestor }: Record<string, unknown>): boolean =>
  role === "tool" && requestor === "user";

/**
 * The conversation as the agent saw it. The simulated user may use tools of its own, such as a phone; the agent hears
 * of that only in the user's words. So those calls and results stand in the message of the user that follows them, as
 * `user_tool_use`, where nobody takes them for the agent's.
 */
export function agentsView(values: readonly unknown[]): AgentsView {
  const messages: unknown[] = [];
  let unheard: unknown[] = [];
  for (const value of singly(values)) {
    if (!isObject(value)) {
      messages.push(value);
      continue;
    }
    const { content, ...others } = value;
    const message: Record<string, unknown> = { content, ...withoutNulls(others) };
    if (isUsersCall(message) || isUsersResult(message)) unheard.push(withoutNulls(message));
    else if (message.role === "user" && unheard.length > 0) {
      messages.push({ ...message, user_tool_use: unheard });
      unheard = [];
    } else messages.push(message);
  }
  return { messages, unheard };
}
