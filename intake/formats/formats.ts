import { AtlasError } from "../../errors/atlas-error.ts";
import { atif } from "./atif.ts";
import { atlasLines } from "./atlas-lines.ts";
import { bfcl } from "./bfcl.ts";
import { chatRows } from "./chat-rows.ts";
import { claudeCode } from "./claude-code.ts";
import { codex } from "./codex.ts";
import type { Format } from "./format.ts";
import { geminiCli } from "./gemini-cli.ts";
import { inspect } from "./inspect.ts";
import { langfuse } from "./langfuse.ts";
import { langsmith } from "./langsmith.ts";
import { litellm } from "./litellm.ts";
import { managedAgents } from "./managed-agents.ts";
import { messageFile, messageLists } from "./message-files.ts";
import { miniSweAgent } from "./mini-swe-agent.ts";
import { openhands } from "./openhands.ts";
import { openhandsCompletion } from "./openhands-completion.ts";
import { openhandsEval } from "./openhands-eval.ts";
import { otel } from "./otel.ts";
import { phoenix } from "./phoenix.ts";
import { preference } from "./preference.ts";
import { promptfoo } from "./promptfoo.ts";
import { reply } from "./reply.ts";
import { pi, sessionTraces } from "./session-trace.ts";
import { alpaca, shareGpt } from "./sharegpt.ts";
import { sweAgent } from "./swe-agent.ts";
import { tauBench } from "./tau-bench.ts";
import { tau2Bench } from "./tau2-bench.ts";
import { tensorzero } from "./tensorzero.ts";
import { toolbench } from "./toolbench.ts";
import { trl } from "./trl.ts";
import { trlTurns } from "./trl-turns.ts";
import { verifiers } from "./verifiers.ts";
import { verifiersTrace } from "./verifiers-trace.ts";
import { xlam } from "./xlam.ts";

/** Every format, in the order in which they are recognized: those that ask for most come first. */
export const FORMATS: readonly Format[] = [
  atlasLines,
  tauBench,
  tau2Bench,
  claudeCode,
  codex,
  geminiCli,
  sessionTraces,
  pi,
  openhandsEval,
  openhandsCompletion,
  openhands,
  sweAgent,
  miniSweAgent,
  inspect,
  atif,
  bfcl,
  toolbench,
  langfuse,
  langsmith,
  managedAgents,
  phoenix,
  otel,
  verifiersTrace,
  trlTurns,
  trl,
  litellm,
  tensorzero,
  promptfoo,
  verifiers,
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
