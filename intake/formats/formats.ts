import { AtlasError } from "../../errors/atlas-error.ts";
import { chatRows } from "./chat-rows.ts";
import type { Format } from "./format.ts";
import { litellm } from "./litellm.ts";
import { messageFile, messageLists } from "./message-files.ts";
import { miniSweAgent } from "./mini-swe-agent.ts";
import { preference } from "./preference.ts";
import { promptfoo } from "./promptfoo.ts";
import { reply } from "./reply.ts";
import { alpaca, shareGpt } from "./sharegpt.ts";
import { tensorzero } from "./tensorzero.ts";
import { xlam } from "./xlam.ts";

/** Every format, in the order in which they are recognized: those that ask for most come first. */
export const FORMATS: readonly Format[] = [
  litellm,
  tensorzero,
  miniSweAgent,
  promptfoo,
  preference,
  shareGpt,
  alpaca,
  xlam,
  reply,
  chatRows,
  messageLists,
  messageFile,
];

/**
 * The format of a name.
 *
 * @throws AtlasError ATLAS_USAGE, with the names that there are
 */
export function formatNamed(name: string): Format {
  const found = FORMATS.find((format) => format.name === name);
  if (found !== undefined) return found;
  throw new AtlasError("ATLAS_USAGE", `there is no format ${JSON.stringify(name)}`, {
    where: "--format",
    hint: `One of ${FORMATS.map((format) => format.name).join(", ")}; without it, a file's format is recognized.`,
  });
}

/** The format of a value, or undefined where none is recognized. */
export const formatOf = (value: unknown): Format | undefined =>
  FORMATS.find((format) => format.recognizes(value));
