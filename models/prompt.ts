/** A prompt with a name that changes whenever its text does; events name it. */
export interface Prompt {
  version: string;
  text: string;
}

/**
 * The name of what is asked in several prompts of one conversation, such as a step that is tried again.
 *
 * @example
 * versions("step.v2", "retry.v2"); // "step.v2+retry.v2"
 */
export const versions = (...names: readonly (string | undefined)[]): string | undefined =>
  names.filter((name) => name !== undefined).join("+") || undefined;
