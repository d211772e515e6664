import type { ModelClient } from "../models/model-client.ts";
import type { Prompt } from "../models/prompt.ts";
import type { SessionTrace, TraceStep } from "../traces/session-trace.ts";

/** What a judge scores: the session as a whole, each step that ran, or both. */
export const JUDGE_SCOPES = ["session", "step", "both"] as const;
/** One of them. */
export type JudgeScope = (typeof JUDGE_SCOPES)[number];

interface JudgeBase {
  /** The name under which rubrics weigh it. */
  readonly name: string;
  readonly scope: JudgeScope;
  /** What the rubric weighs it by where the rules say nothing of it; 1 unless told. */
  readonly weight?: number | undefined;
}

/** A judge that asks models. */
export interface ModelJudge extends JudgeBase {
  readonly kind: "model";
  /** What the models are asked, for a session and for a step. */
  readonly prompts: { readonly session: Prompt; readonly step: Prompt };
  /** Gives the samples. */
  readonly small: ModelClient;
  /** Settles samples that disagree or are not certain; without one they stand as they are. */
  readonly large?: ModelClient | undefined;
  /** One sample each; null leaves the temperature to the model's own default. */
  readonly temperatures: readonly (number | null)[];
  /** Population standard deviation of the samples' scores above which the large model is asked. */
  readonly spreadThreshold: number;
  /** Uncertainty of any sample above which the large model is asked. */
  readonly uncertaintyThreshold: number;
}

/** What a function judge is told beside the trace. */
export interface FunctionJudgeContext {
  /** The step to score; undefined where the session is. */
  step: TraceStep | undefined;
  /** Aborts when nobody waits for the score any more. */
  signal: AbortSignal;
}

/** A score with what there is to say about it. */
export interface FunctionScore {
  /** 0 to 1. */
  score: number;
  /** 0 to 1. */
  uncertainty?: number | undefined;
  rationale?: string | undefined;
}

/** A judge that is a function of the trace. */
export interface FunctionJudge extends JudgeBase {
  readonly kind: "function";
  /** Milliseconds until a score is too late. */
  readonly timeoutMs: number;
  judge(
    trace: SessionTrace,
    context: FunctionJudgeContext,
  ): number | FunctionScore | Promise<number | FunctionScore>;
}

/** Whoever scores sessions. */
export type Judge = ModelJudge | FunctionJudge;

/** Says whether no model is behind a judge's scores. */
export const isSimulated = (judge: Judge): boolean =>
  judge.kind === "model" && (judge.small.simulated || judge.large?.simulated === true);
