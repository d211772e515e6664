import type { AtlasEvent, Micros } from "../../schemas/generated/events.ts";
import type { SessionStatus } from "../../schemas/vocabulary.ts";
import type { ChatMessage } from "../chat/message.ts";
import type { ToolDefinition } from "../chat/tool-definitions.ts";

/** Tokens as others count them; what is unknown is left out. */
export interface RecordedUsage {
  prompt?: number | undefined;
  completion?: number | undefined;
  total?: number | undefined;
  reasoning?: number | undefined;
  cached?: number | undefined;
}

/** One message of a recorded conversation. */
export interface RecordedMessage {
  message: ChatMessage;
  /** When it was said, where that was recorded. */
  at?: Micros | undefined;
  /** What the call of the model that said it took. */
  usage?: RecordedUsage | undefined;
  /** US dollars. */
  cost?: number | undefined;
}

/** What somebody made of a conversation. */
export interface RecordedScore {
  judge: string;
  /** As it was recorded. */
  score: number;
  rationale?: string | undefined;
}

/** A conversation that others recorded: what every format becomes. */
export interface RecordedConversation {
  /** What it is known by, as it was read: equal values are the same conversation, whichever file holds them. */
  content: unknown;
  messages: RecordedMessage[];
  /** Its name where it was recorded. */
  id?: string | undefined;
  /** What the agent was to do; what the user said first unless told. */
  task?: string | undefined;
  /** Definitions of the tools that the agent could call, where they were recorded. */
  tools?: ToolDefinition[] | undefined;
  /** The reward as it was recorded; on a scale of 0 to 1 unless the import is told another. */
  reward?: number | undefined;
  /** Where there is no reward, these lead to one. */
  scores?: RecordedScore[] | undefined;
  /** Succeeded unless told. */
  status?: SessionStatus | undefined;
  error?: string | undefined;
  startedAt?: Micros | undefined;
  endedAt?: Micros | undefined;
  /** All that has no other place here: nothing that was recorded is dropped. */
  metadata?: Record<string, unknown> | undefined;
  agent?: string | undefined;
  tags?: string[] | undefined;
  tenant?: string | undefined;
  project?: string | undefined;
  learningKey?: string | undefined;
  /** Trials of one task share it. */
  groupId?: string | undefined;
  /** Which of the trials it is. */
  rollout?: number | undefined;
  groundTruth?: string | undefined;
  /** Of the whole conversation, where its messages do not tell. */
  usage?: RecordedUsage | undefined;
  cost?: number | undefined;
  /** The session itself where it comes from an Atlas log: it is taken over event by event, with its ids and times. */
  session?: readonly AtlasEvent[] | undefined;
}

/** What a format may ask while it reads. */
export interface ReadingContext {
  /**
   * Reads a time of any notation; one that cannot be read is told. Null and undefined are none.
   *
   * @param field what it is called, for whoever is told
   */
  timeOf(value: unknown, field: string): Micros | undefined;
  /** Says that something could not be used, and what became of it. */
  note(what: string): void;
}

/** A way in which others write down what their agents did. */
export interface Format {
  /** As `--format` takes it. */
  name: string;
  /** Raised when the same recording becomes another session; counts from 1. */
  translation: number;
  /** What it is, for a list of formats. */
  about: string;
  /**
   * Whether recordings of this format hold what was typed, read and printed on somebody's computer: keys and passwords
   * are then taken out of them even where the log takes nothing out.
   */
  masked?: boolean;
  /** Whether a value of a file is of this format. Asked of every first value: no more than a look at its fields. */
  recognizes(value: unknown): boolean;
  /**
   * Names the recording that a value of a file is a part of: values with one name are read together, when the file is
   * at its end. Without it, each value is read by itself.
   */
  partOf?(value: unknown): string;
  /**
   * Reads one value, or the values that are one recording.
   *
   * @returns the conversations in it, or in one sentence why there is none
   */
  read(values: readonly unknown[], context: ReadingContext): RecordedConversation[] | string;
}
