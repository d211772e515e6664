import { AtlasError } from "../../errors/atlas-error.ts";
import { judgeSession } from "../../judges/judge-session.ts";
import type { Limiter } from "../../judges/limiter.ts";
import type { Panel } from "../../judges/panel.ts";
import { leaveUnjudged } from "../../judges/unjudged.ts";
import type { Prices } from "../../models/prices.ts";
import { createRecorder, type Recorder } from "../../recording/recorder.ts";
import { TokenCount } from "../../recording/tokens.ts";
import type { Uuid } from "../../schemas/generated/events.ts";
import { type Masked, type Masking, withLogged } from "../../schemas/masked.ts";
import { sourceOf } from "../../schemas/sources.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import { collecting } from "./collected-events.ts";

/** Who judges, and what is to be known of it. */
export interface Judging {
  panel: Panel;
  /** Shared by all sessions that are judged at a time. */
  limit: Limiter;
  rulesHash: string;
  mask: Masking;
  prices: Prices | undefined;
  modelTimeoutMs: number | undefined;
}

/** A session as its judges left it. */
export interface JudgedLater {
  /** Judgements, the calls behind them, and `SessionJudged`, with a source and sequences of their own. */
  events: Masked[];
  /** A judge is missing because a model was not reached that may be reached later. */
  outage: boolean;
  /** Why the last of those that are missing is. */
  lastError: string | undefined;
}

function recorderOf({ session_id, started }: SessionTrace, { mask }: Judging): Recorder {
  const traceId = started?.meta.trace_id ?? undefined;
  return createRecorder({
    flusher: collecting(mask),
    sessionId: session_id,
    source: sourceOf("judges", session_id),
    ...(traceId === undefined ? {} : { traceId }),
  });
}

/** All that was recorded, under the session's own key; an event that could not be masked leaves a gap. */
function recordedBy(recorder: Recorder, learning_key: string): Masked[] {
  const events = recorder
    .history()
    .map((event) => (event.type === "SessionJudged" ? withLogged(event, { learning_key }) : event));
  if (events.at(-1)?.meta.sequence === events.length) return events;
  throw new AtlasError("ATLAS_MASK_FAILED", "a judgement could not be masked, so none of them is kept");
}

/**
 * Asks a panel about a session that has ended.
 *
 * @param trace as the log has it
 * @throws AtlasError ATLAS_MASK_FAILED
 */
export async function judgeLater(
  trace: SessionTrace,
  learningKey: string,
  judging: Judging,
  signal: AbortSignal,
): Promise<JudgedLater> {
  const recorder = recorderOf(trace, judging);
  const { prices, modelTimeoutMs, panel, limit, rulesHash } = judging;
  let messages = trace.events.filter(({ type }) => type === "MessageRecorded").length;
  const scope = {
    recorder,
    tokens: new TokenCount(),
    signal,
    prices,
    modelTimeoutMs,
    unanswered: new Map<Uuid, AtlasError>(),
    nextMessage: () => messages++,
  };
  const { judgements, missing, outage } = await judgeSession(scope, trace, panel, limit);
  recorder.emit("SessionJudged", {
    learning_key: learningKey,
    judgements: judgements.map(({ eventId }) => eventId),
    missing,
    rules_hash: rulesHash,
  });
  const events = recordedBy(recorder, learningKey);
  const lastError = events.findLast((event) => event.type === "JudgementFailed")?.reason;
  return { events, outage, lastError };
}

/** Closes a session without a judgement, saying why there is none. */
export function giveUp(trace: SessionTrace, learningKey: string, judging: Judging, reason: string): Masked[] {
  const recorder = recorderOf(trace, judging);
  const { missing } = leaveUnjudged(recorder, judging.panel, reason);
  recorder.emit("SessionJudged", {
    learning_key: learningKey,
    judgements: [],
    missing,
    rules_hash: judging.rulesHash,
  });
  return recordedBy(recorder, learningKey);
}
