import type { ErrorCode } from "../errors/codes.ts";
import type { Recorder } from "../recording/recorder.ts";
import type { Judge } from "./judge.ts";
import type { Verdict } from "./judge-session.ts";
import type { Panel } from "./panel.ts";

/** What ends a session and says nothing of how well the agent works: nobody answered, or a person is waited for. */
const UNJUDGED: ReadonlySet<string> = new Set<ErrorCode>([
  "ATLAS_MODEL_UNAVAILABLE",
  "ATLAS_AGENT_UNAVAILABLE",
  "ATLAS_AGENT_INTERRUPTED",
]);

/** Whether a session that ends with this error is not judged. */
export const isUnjudged = ({ code }: { code: string }): boolean => UNJUDGED.has(code);

/**
 * Why nobody is asked about a session that has ended.
 *
 * @param error in words, as `SessionEnded` has it: it begins with its code
 * @returns undefined where it is judged
 */
export function whyUnjudged(ended: {
  status?: string | null | undefined;
  error?: string | null | undefined;
}): string | undefined {
  const { status, error } = ended;
  if (status === "cancelled" || status === "abandoned") return `nobody was asked: the session was ${status}`;
  const [code] = /^ATLAS_[A-Z_]+/.exec(error ?? "") ?? [];
  if (status !== "failed" || code === undefined || !isUnjudged({ code })) return undefined;
  return `nobody was asked: the session ended in ${code}, which says nothing of the agent`;
}

const askedOf = (judge: Judge) =>
  judge.kind === "function"
    ? { stage: "function" }
    : {
        stage: "sample",
        provider: judge.small.provider,
        model: judge.small.model,
        prompt_version: judge.prompts.session.version,
      };

/** What is missing of a session that nobody is to judge. */
export const allMissing = ({ judges }: Panel): string[] => judges.map(({ name }) => name);

/** Records of every judge why it has nothing to say. */
export function leaveUnjudged(recorder: Recorder, panel: Panel, reason: string): Verdict {
  for (const judge of panel.judges)
    recorder.emit("JudgementFailed", { judge: judge.name, ...askedOf(judge), reason });
  return { judgements: [], missing: allMissing(panel), outage: false };
}
