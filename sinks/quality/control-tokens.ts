import { type Check, eachRecord } from "./check.ts";
import { type Said, saidIn } from "./record.ts";

/** Texts that tokenizers of well-known models read as one control token. */
const CONTROL =
  /<\|[\w-]{1,40}\|>|<｜[^｜<>\n]{1,40}｜>|<\/?s>|\[\/?(?:INST|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|SYSTEM_PROMPT)\]|<<\/?SYS>>|<(?:start|end)_of_turn>|<\/?tool_call>|<(?:bos|eos|pad|unk)>/;

const has = ({ content, reasoning, calls }: Said): boolean =>
  CONTROL.test(content) || CONTROL.test(reasoning) || calls.some(({ text }) => CONTROL.test(text));

/** No message holds what a model's tokenizer takes for its own signs: a turn would end, or begin, within a text. */
export const controlTokens = (): Check =>
  eachRecord((record) => {
    const messages = saidIn(record);
    const at = messages.findIndex(has);
    return at === -1 ? undefined : `message ${at + 1} (${roleOf(messages[at]!)}) holds a control token`;
  });

const ROLES = new Set(["system", "developer", "user", "assistant", "tool"]);

const roleOf = ({ role }: Said): string => (ROLES.has(role) ? role : "of another role");
