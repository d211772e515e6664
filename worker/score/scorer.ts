import { maskOf } from "../../app/capture.ts";
import { hostedPanel } from "../../app/configured-judges.ts";
import type { AtlasConfig } from "../../configs/config-schema.ts";
import { withJudgeWeights } from "../../configs/judges-schema.ts";
import { scoreOf, type TraceScore } from "../../derivation/score-trace.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import { isSimulated } from "../../judges/judge.ts";
import { judgeSession, questionsOf } from "../../judges/judge-session.ts";
import { type Limiter, limiter } from "../../judges/limiter.ts";
import type { Panel } from "../../judges/panel.ts";
import { leaveUnjudged, whyUnjudged } from "../../judges/unjudged.ts";
import { collecting } from "../../reactors/judging/collected-events.ts";
import { createRecorder } from "../../recording/recorder.ts";
import { type SessionTokens, TokenCount } from "../../recording/tokens.ts";
import type { Uuid } from "../../schemas/generated/events.ts";
import { newId } from "../../schemas/identity.ts";
import { maskingBy } from "../../schemas/masked.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import { traceGiven } from "./given-trace.ts";
import type { GivenTrace, ScoreRequest } from "./score-request.ts";

/** What `POST /score` answers. */
export interface LiveScore extends TraceScore {
  /** The judgements behind the score, as the log would have them. */
  judgements: {
    judge: string;
    scope: string;
    step_id: number | null;
    stage: string;
    score: number;
    uncertainty: number | null;
    rationale: string | null;
  }[];
  /** Questions to judges that got no score, and why. */
  failures: { judge: string; step_id: number | null; stage: string; reason: string }[];
  /** True where no model is behind a score. */
  simulated: boolean;
  /** Tokens of the judges' calls in all. */
  tokens: NonNullable<SessionTokens["total"]> | null;
}

/** Scores traces by asking the configured judges. */
export type Scorer = (request: ScoreRequest, signal: AbortSignal) => Promise<LiveScore>;

/** What scoring needs of a configuration. */
export type ScoringConfig = Pick<
  AtlasConfig,
  "judge" | "judges" | "teacher" | "rules" | "prices" | "orchestration" | "capture" | "score"
>;

/** Judges are made when they are first needed: most workers are never asked for a score. */
function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

/** How the session ended: as its events say, else as a line of a training file says without them. */
function endOf({ trajectory_events: events, session_metadata: line }: GivenTrace, trace: SessionTrace) {
  const { status, error } = (events?.length ?? 0) > 0 ? trace : (line ?? {});
  const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  return { status: text(status), error: text(error) };
}

/**
 * Asks the judges of a configuration about a trace, with the aggregation that rewards sessions. Nothing is recorded.
 *
 * @example
 * const { score } = await createScorer(config)(readScoreRequest(body), signal);
 */
export function createScorer(config: ScoringConfig): Scorer {
  const panelOf = lazily<Panel>(() => hostedPanel(config));
  const limit: Limiter = limiter(config.judges?.parallel ?? 4);
  const { modelTimeoutSeconds } = config.orchestration;
  const mask = maskingBy(maskOf(config));
  return async ({ trace: given, rubric }, signal) => {
    const panel = await panelOf();
    const { maxSteps, maxQuestions } = config.score;
    const trace = traceGiven(given, { mask, maxSteps });
    const questions = questionsOf(panel, trace.steps);
    if (questions > maxQuestions)
      throw new AtlasError("ATLAS_REQUEST_INVALID", `it asks the judges ${questions} questions`, {
        where: "trace.steps",
        hint: `Send fewer steps: a request may ask ${maxQuestions}, which score.max_questions sets.`,
      });
    const recorder = createRecorder({ flusher: collecting(mask), sessionId: newId() });
    const tokens = new TokenCount();
    let messages = 0;
    const scope = {
      recorder,
      tokens,
      signal,
      prices: config.prices,
      modelTimeoutMs: modelTimeoutSeconds === undefined ? undefined : Math.ceil(modelTimeoutSeconds * 1000),
      unanswered: new Map<Uuid, AtlasError>(),
      nextMessage: () => messages++,
    };
    const unjudged = whyUnjudged(endOf(given, trace));
    const { judgements, missing } =
      unjudged === undefined
        ? await judgeSession(scope, trace, panel, limit)
        : leaveUnjudged(recorder, panel, unjudged);
    signal.throwIfAborted();
    const rules =
      rubric === undefined
        ? config.rules
        : withJudgeWeights({ ...config.rules, rubric }, config.judges?.list ?? []);
    return {
      ...scoreOf(judgements, missing, rules.rubric),
      judgements: judgements.map(({ judge, scope, step_id, stage, score, uncertainty, rationale }) => ({
        judge,
        scope: scope ?? "session",
        step_id: step_id ?? null,
        stage,
        score,
        uncertainty: uncertainty ?? null,
        rationale: rationale ?? null,
      })),
      failures: recorder.history().flatMap((event) => {
        if (event.type !== "JudgementFailed") return [];
        const { judge, step_id, stage, reason } = event;
        return { judge, step_id: step_id ?? null, stage, reason };
      }),
      simulated: panel.judges.some(isSimulated),
      tokens: tokens.read().total ?? null,
    };
  };
}
