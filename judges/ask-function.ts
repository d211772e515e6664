import { setImmediate } from "node:timers/promises";
import { AtlasError, explain } from "../errors/atlas-error.ts";
import { limitedSignal, type SessionScope, unlessAborted } from "../recording/session-scope.ts";
import type { AtlasEvent } from "../schemas/generated/events.ts";
import type { SessionTrace, TraceStep } from "../traces/session-trace.ts";
import type { FunctionJudge, FunctionScore } from "./judge.ts";
import { type JudgedPlace, type JudgeOutcome, judgementOf } from "./made-judgement.ts";

const inUnit = (value: unknown): value is number => typeof value === "number" && value >= 0 && value <= 1;

const shown = (value: unknown): string =>
  typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));

/** What a function returned, or what is wrong with it. */
function scoreOf(returned: unknown): FunctionScore | string {
  const given: Partial<FunctionScore> =
    typeof returned === "object" && returned !== null && !Array.isArray(returned)
      ? returned
      : { score: returned as number };
  const { score, uncertainty, rationale } = given;
  if (typeof score !== "number") return `it returned ${shown(returned).slice(0, 200)}, not a score`;
  if (!inUnit(score)) return `its score is ${score}, not between 0 and 1`;
  if (uncertainty !== undefined && uncertainty !== null && !inUnit(uncertainty))
    return `its uncertainty is ${shown(uncertainty)}, not between 0 and 1`;
  if (rationale !== undefined && rationale !== null && typeof rationale !== "string")
    return "its rationale is no text";
  return { score, uncertainty, rationale };
}

const VERDICTS = ["JudgementMade", "JudgementFailed", "SessionJudged"];

/** What judges say, and the calls behind it. */
const isJudging = (event: AtlasEvent): boolean =>
  VERDICTS.includes(event.type) ||
  ((event.type === "ModelCallStarted" || event.type === "ModelCallEnded") && event.role === "judge");

/** A trace of the function's own: what it does to it, nobody else sees. It holds no score of anybody's. */
function traceFor(trace: SessionTrace): SessionTrace {
  return structuredClone({
    ...trace,
    events: trace.events.filter((event) => !isJudging(event)),
    judgements: [],
    judgement_failures: [],
    judged: null,
    reward: null,
    drift: null,
  });
}

/**
 * Asks a function judge about a session or a step, and records what came of it. What it throws, what is no score and
 * what comes too late is recorded as a failed judgement.
 */
export async function askFunctionJudge(
  scope: SessionScope,
  judge: FunctionJudge,
  place: JudgedPlace,
  trace: SessionTrace,
): Promise<JudgeOutcome> {
  const { name, timeoutMs } = judge;
  const about = { judge: name, ...place, stage: "function" };
  const outcome: JudgeOutcome = { ...place, judge: name, judgements: [], outage: false };
  const failed = (reason: string): JudgeOutcome => {
    scope.recorder.emit("JudgementFailed", { ...about, reason });
    return outcome;
  };
  const late = (): AtlasError =>
    new AtlasError("ATLAS_DEADLINE_PASSED", `the judge ${name} took longer than ${timeoutMs} ms`, {
      hint: "Give it a longer timeout.",
    });
  using ending = limitedSignal(scope.signal, timeoutMs, late);
  // The copy takes a while, and the process has other things to do between two of them.
  await setImmediate();
  if (ending.signal.aborted) return failed(explain(ending.signal.reason));
  const own = traceFor(trace);
  const step: TraceStep | undefined = own.steps.find(({ step_id }) => step_id === place.step_id);
  let returned: unknown;
  try {
    returned = await unlessAborted(ending.signal, () => judge.judge(own, { step, signal: ending.signal }));
  } catch (error) {
    return failed(explain(error));
  }
  const score = scoreOf(returned);
  if (typeof score === "string") return failed(score);
  const draft = {
    ...about,
    score: score.score,
    uncertainty: score.uncertainty ?? null,
    rationale: score.rationale ?? null,
  };
  outcome.judgements.push(judgementOf(scope.recorder.emit("JudgementMade", draft), draft));
  return outcome;
}
