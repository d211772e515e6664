import type { DatasetFormat } from "../datasets/format.ts";
import { openaiChat } from "./openai-chat.ts";
import { parquetFormat } from "./parquet-format.ts";
import { trlKto, trlMessages, trlPromptCompletion, trlRollouts } from "./trl.ts";
import { trlPreference } from "./trl-preference.ts";

/** What trainers read besides the lines of Atlas Core's loaders. */
export const TRAINER_FORMATS: readonly DatasetFormat[] = [
  openaiChat,
  trlMessages,
  trlPromptCompletion,
  trlPreference,
  trlKto,
  trlRollouts,
  parquetFormat,
];
