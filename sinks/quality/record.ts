/** Where a record stands. */
export interface Place {
  file: string;
  /** From 1. */
  line: number;
  /** Null where neither the record nor the list of sessions says it. */
  session: string | null;
}

/** A call of a tool. */
export interface SaidCall {
  name: string;
  /** Undefined where they are no JSON. */
  arguments: unknown;
  /** As they are written. */
  text: string;
}

/** A message, whichever format it is of. */
export interface Said {
  role: string;
  /** What is no text stands as U+FFFC. */
  content: string;
  reasoning: string;
  calls: readonly SaidCall[];
}

/** A tool that was offered. */
export interface OfferedTool {
  name: string;
  /** JSON schema of its arguments. */
  parameters: unknown;
}

/** What every format says of a record. */
export interface RecordView {
  /** What was asked. */
  task: string;
  group: string | null;
  /** Null where there is none, undefined where it is not known. */
  reward: number | null | undefined;
  /** Whether it is wanted, in formats that say so. */
  label: boolean | null;
  prompt: readonly Said[];
  /** One, or of a preference the chosen and the rejected one. */
  answers: readonly (readonly Said[])[];
  tools: readonly OfferedTool[];
  /** Characters of the tools' declarations. */
  toolCharacters: number;
}

/** A record of a dataset as checks see it. */
export interface QualityRecord extends RecordView {
  place: Place;
  part: string | null;
  /** As it is in the file. */
  raw: Record<string, unknown>;
  /** Finds it again. */
  bytes: { offset: number; length: number };
}

/** Every message of a record. */
export const saidIn = ({ prompt, answers }: Pick<RecordView, "prompt" | "answers">): Said[] => [
  ...prompt,
  ...answers.flat(),
];

const CHARACTERS_A_TOKEN = 4;

const charactersOf = (messages: readonly Said[]): number => {
  let sum = 0;
  for (const { content, reasoning, calls } of messages) {
    sum += content.length + reasoning.length;
    for (const { name, text } of calls) sum += name.length + text.length;
  }
  return sum;
};

/** About so many tokens a trainer reads of a record: four characters are one; of a preference the longer answer counts. */
export function tokensOf({ prompt, answers, toolCharacters }: RecordView): number {
  const longest = answers.reduce((most, answer) => Math.max(most, charactersOf(answer)), 0);
  return Math.ceil((charactersOf(prompt) + longest + toolCharacters) / CHARACTERS_A_TOKEN);
}
