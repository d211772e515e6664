import { writeFileSync } from "node:fs";
import { randomFrom, textFrom } from "./sessions.ts";

/** Tool calls of a conversation: with them it makes about ninety events. */
const TURNS = 10;

function conversation(number: number): object {
  const random = randomFrom(number);
  const text = (length: number): string => textFrom(random, length);
  const turns = Array.from({ length: TURNS }, (_, index) => {
    const id = `call-${index}`;
    const call = { name: "read_file", arguments: JSON.stringify({ path: `src/${index}.ts`, why: text(60) }) };
    return [
      { role: "assistant", content: text(120), tool_calls: [{ id, type: "function", function: call }] },
      { role: "tool", tool_call_id: id, name: call.name, content: text(600) },
    ];
  });
  return {
    id: `bench-${number}`,
    reward: Math.round(random() * 100) / 100,
    created_at: new Date(Date.UTC(2026, 0, 1) + number * 60_000).toISOString(),
    messages: [
      { role: "system", content: text(400) },
      { role: "user", content: text(200) },
      ...turns.flat(),
      { role: "assistant", content: text(400) },
    ],
  };
}

/** Writes made-up recorded conversations, a line each, the same in every run. */
export function writeConversations(file: string, count: number): void {
  const lines = Array.from({ length: count }, (_, index) => `${JSON.stringify(conversation(index))}\n`);
  writeFileSync(file, lines.join(""));
}
