/** Names this prompt in events; changes whenever its text does. */
export const RETRY_VERSION = "retry.v1";

/** Tells a student that its answer did not stand, and what its teacher said. */
export const retryPrompt = (guidance: string | undefined): string =>
  guidance === undefined
    ? "Your answer was not accepted. Look at the task again and give a better one, complete in itself."
    : `Your answer was not accepted. Your teacher says:\n\n${guidance}\n\nGive a new answer, complete in itself.`;
