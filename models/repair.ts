/** Names this prompt in events; changes whenever its text does. */
export const REPAIR_VERSION = "repair.v1";

/** Tells a model what was wrong with the shape of its reply; asked within the conversation that it belongs to. */
export const repairPrompt = (problem: string): string =>
  `Your reply could not be read: ${problem}. Reply again with the one JSON object that was asked for, and nothing else.`;
