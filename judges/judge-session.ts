import { REDACTED } from "../recording/masking/marker.ts";
import type { SessionScope } from "../recording/session-scope.ts";
import type { SessionTrace, TraceStep } from "../traces/session-trace.ts";
import { askFunctionJudge } from "./ask-function.ts";
import { askModelJudge } from "./ask-judge.ts";
import type { Judge, ModelJudge } from "./judge.ts";
import { judgedViews } from "./judged-session.ts";
import { type Limiter, limiter } from "./limiter.ts";
import type { JudgedPlace, Judgement, JudgeOutcome } from "./made-judgement.ts";
import type { Panel } from "./panel.ts";

/** What a panel says of a session. */
export interface Verdict {
  /** By judge as the panel names them, of the session first and then of each step. */
  judgements: Judgement[];
  /** Judges without a valid judgement: by name of the session, as `name#step` of a step. */
  missing: string[];
  /** A judge is missing because a model was not reached that may be reached later. */
  outage: boolean;
}

const PARALLEL = 4;
/** Each has a copy of the session while it runs. */
const FUNCTIONS_AT_A_TIME = 16;

const placesOf = ({ scope }: Judge, steps: readonly TraceStep[]): JudgedPlace[] => [
  ...(scope === "step" ? [] : [{ scope: "session" as const, step_id: null }]),
  ...(scope === "session" ? [] : steps.map(({ step_id }) => ({ scope: "step" as const, step_id }))),
];

const ranOf = (steps: readonly TraceStep[]): TraceStep[] => steps.filter(({ ran }) => ran);

const nameOf = ({ judge, step_id }: Pick<JudgeOutcome, "judge" | "step_id">): string =>
  step_id === null ? judge : `${judge}#${step_id}`;

/** How many questions a panel asks about a session with such steps, arbitrations and second tries aside. */
export const questionsOf = ({ judges }: Panel, steps: readonly TraceStep[]): number =>
  judges.reduce((sum, judge) => {
    const samples = judge.kind === "function" ? 1 : judge.temperatures.length;
    return sum + placesOf(judge, ranOf(steps)).length * samples;
  }, 0);

/** Judges share what they are shown of a place. */
function materials(trace: SessionTrace, steps: readonly TraceStep[]): (place: JudgedPlace) => unknown {
  const views = judgedViews(trace);
  const byId = new Map(steps.map((step) => [step.step_id, step]));
  const shown = new Map<number | null, unknown>();
  return ({ step_id }) => {
    if (!shown.has(step_id)) {
      const step = step_id === null ? undefined : byId.get(step_id);
      shown.set(step_id, step === undefined ? views.session() : views.step(step));
    }
    return shown.get(step_id);
  };
}

/** A judge that sees nothing of what it would judge. */
function cannotSee(scope: SessionScope, judge: ModelJudge, place: JudgedPlace): JudgeOutcome {
  scope.recorder.emit("JudgementFailed", {
    judge: judge.name,
    ...place,
    stage: "sample",
    provider: judge.small.provider,
    model: judge.small.model,
    prompt_version: judge.prompts[place.scope].version,
    reason: "what the session was about is not recorded, so there is nothing to judge",
  });
  return { ...place, judge: judge.name, judgements: [], outage: false };
}

/**
 * Lets every judge of a panel score a session that has ended, and each of its steps that ran, and records what they
 * say. Judges see what happened, and never a score: not an earlier one and not another judge's.
 *
 * @param trace the session as it is recorded; undefined where nothing of it is
 * @param limit where several panels share one; the panel's own unless told
 * @example
 * const { judgements, missing } = await judgeSession(scope, foldSession(recorder.history()), panel);
 */
export async function judgeSession(
  scope: SessionScope,
  trace: SessionTrace | undefined,
  { judges, parallel = PARALLEL }: Panel,
  limit: Limiter = limiter(parallel),
): Promise<Verdict> {
  const steps = ranOf(trace?.steps ?? []);
  const isSeen = trace?.started != null && trace.started.task !== REDACTED;
  const materialOf = trace === undefined ? undefined : materials(trace, steps);
  const functions = limiter(FUNCTIONS_AT_A_TIME);
  const ask = async (judge: Judge, place: JudgedPlace): Promise<JudgeOutcome> => {
    if (judge.kind === "function" && trace !== undefined)
      return functions(() => askFunctionJudge(scope, judge, place, trace));
    if (judge.kind === "function") return { ...place, judge: judge.name, judgements: [], outage: false };
    if (!isSeen || materialOf === undefined) return cannotSee(scope, judge, place);
    return askModelJudge(scope, judge, place, materialOf(place), limit);
  };
  const outcomes = await Promise.all(
    judges.flatMap((judge) => placesOf(judge, steps).map((place) => ask(judge, place))),
  );
  const missing = outcomes.filter(({ judgements }) => judgements.length === 0);
  return {
    judgements: outcomes.flatMap(({ judgements }) => judgements),
    missing: missing.map(nameOf),
    outage: missing.some(({ outage }) => outage),
  };
}
