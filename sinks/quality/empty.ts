import { type Check, eachRecord } from "./check.ts";
import { type Said, saidIn } from "./record.ts";

const isBlank = ({ content, calls }: Said): boolean => content.trim() === "" && calls.length === 0;

function emptiness(answer: readonly Said[]): string | undefined {
  const turns = answer.filter(({ role }) => role === "assistant");
  if (turns.length === 0) return "nothing is answered";
  return turns.some(isBlank) ? "a turn of the assistant has neither words nor calls" : undefined;
}

/** Somebody asks, and every turn of the assistant says something. */
export const empty = (): Check =>
  eachRecord(({ prompt, answers }) => {
    // The assistant may greet first.
    const said = saidIn({ prompt, answers });
    if (!said.some(({ role, content }) => role === "user" && content.trim() !== ""))
      return "nothing is said by a user";
    return answers.map(emptiness).find((why) => why !== undefined);
  });
