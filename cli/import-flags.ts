import { readFileSync } from "node:fs";
import { AtlasError, messageOf } from "../errors/atlas-error.ts";
import { type ToolDefinition, toolDefinitions } from "../intake/chat/tool-definitions.ts";
import type { RewardScale } from "../intake/import/conversation-facts.ts";
import type { RecordedOptions } from "../intake/import/import-recorded.ts";
import type { CommonOptions } from "./program.ts";

/** Flags of `atlas import`. */
export interface ImportFlags extends CommonOptions {
  learningKey?: string;
  format?: string;
  dryRun?: boolean;
  tools?: string;
  groupBy?: string;
  rewardScale?: string;
  timeZone?: string;
  keepSecrets?: boolean;
  again?: boolean;
  at?: string;
  fromPostgres?: string;
  fromJsonl?: string;
}

const wrong = (where: string, message: string, hint: string): AtlasError =>
  new AtlasError("ATLAS_USAGE", message, { where, hint });

function timeOf(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw wrong(
    "--at",
    `${JSON.stringify(text)} is not a time`,
    "Give an ISO time such as 2026-01-31T12:00:00Z.",
  );
}

function scaleOf(text: string | undefined): RewardScale | undefined {
  if (text === undefined) return undefined;
  const match = /^\s*([^,\s]+)\s*,\s*([^,\s]+)\s*$/.exec(text);
  const [min = Number.NaN, max = Number.NaN] = match === null ? [] : [Number(match[1]), Number(match[2])];
  if (min < max) return { min, max };
  throw wrong(
    "--reward-scale",
    `${JSON.stringify(text)} is not the worst and the best reward`,
    "Give two numbers, the smaller first, as in --reward-scale=-1,1.",
  );
}

function toolsIn(file: string | undefined): ToolDefinition[] | undefined {
  if (file === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new AtlasError("ATLAS_FILE_UNREADABLE", `no tools can be read: ${messageOf(error)}`, {
      where: file,
      hint: "Give a JSON file with a list of tool definitions.",
      cause: error,
    });
  }
  const tools = toolDefinitions(value);
  if (tools !== undefined) return tools;
  throw wrong(
    "--tools",
    `${file} holds no tool definition`,
    "Give a list such as OpenAI's `tools`, or Anthropic's.",
  );
}

/**
 * How recordings are to be read, by the flags.
 *
 * @throws AtlasError ATLAS_USAGE, ATLAS_FILE_UNREADABLE
 */
export const recordedOptions = (flags: ImportFlags): RecordedOptions => ({
  format: flags.format,
  learningKey: flags.learningKey,
  at: timeOf(flags.at),
  timeZone: flags.timeZone,
  rewardScale: scaleOf(flags.rewardScale),
  tools: toolsIn(flags.tools),
  groupBy: flags.groupBy,
  keepSecrets: flags.keepSecrets,
});
