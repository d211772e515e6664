import { AtlasError } from "../../errors/atlas-error.ts";
import { isPieces, joinedPieces } from "./joined-pieces.ts";

const FIELDS = ["content", "text", "output", "answer", "final_answer", "result"] as const;

function textIn(answer: unknown): string | undefined {
  if (typeof answer === "string") return answer;
  if (typeof answer !== "object" || answer === null) return undefined;
  if (Array.isArray(answer)) {
    const texts = answer.map((part) =>
      part?.type === undefined || part.type === "text" ? textIn(part) : "",
    );
    return texts.some((text) => text === undefined) ? undefined : texts.join("");
  }
  for (const field of FIELDS) {
    const text = textIn((answer as Record<string, unknown>)[field]);
    if (text !== undefined) return text;
  }
  return undefined;
}

/**
 * The text of what a foreign agent answered: a text, pieces of one, or an object that has it under a usual name.
 *
 * @throws AtlasError ATLAS_AGENT_FAILED when there is none
 */
export async function answerText(answer: unknown, signal: AbortSignal): Promise<string> {
  if (isPieces(answer)) return joinedPieces(answer, signal);
  const text = textIn(answer);
  if (text !== undefined) return text;
  throw new AtlasError("ATLAS_AGENT_FAILED", "the wrapped agent answered with no text", {
    hint: `Answer with a string, or with an object that has one of ${FIELDS.join(", ")}.`,
  });
}
