/** A prompt with a name that changes whenever its text does; events name it. */
export interface Prompt {
  version: string;
  text: string;
}
