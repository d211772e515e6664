/** Names this prompt in events; changes whenever its text does. */
export const RETRY_VERSION = "retry.v2";

/** Tells a student that its answer did not stand, and what its teacher said of this answer and of those before. */
export function retryPrompt(guidance: readonly string[]): string {
  const last = guidance.at(-1);
  if (last === undefined)
    return "Your answer was not accepted. Look at the task again and give a better one, complete in itself.";
  const earlier = guidance.slice(0, -1).map((note) => `- ${note}`);
  const before =
    earlier.length === 0 ? "" : `\n\nOf your answers before it, your teacher said:\n\n${earlier.join("\n")}`;
  return `Your answer was not accepted. Your teacher says:\n\n${last}${before}\n\nGive a new answer, complete in itself.`;
}
