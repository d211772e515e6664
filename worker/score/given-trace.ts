import { AtlasError, isAtlasError, messageOf } from "../../errors/atlas-error.ts";
import { collecting } from "../../reactors/judging/collected-events.ts";
import { createRecorder } from "../../recording/recorder.ts";
import { encodeEvent } from "../../schemas/codec.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { newId } from "../../schemas/identity.ts";
import { checkLearningKey } from "../../schemas/learning-key.ts";
import type { Masking } from "../../schemas/masked.ts";
import { topicOf } from "../../schemas/topics.ts";
import { foldSession } from "../../traces/fold.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import { fromTrajectoryEvent, type TrajectoryEvent } from "../../traces/trajectory-event.ts";
import type { GivenTrace } from "./score-request.ts";

/** How a trace is read. */
interface Reading {
  mask: Masking;
  /** Most steps of it. */
  maxSteps: number;
}

/** An event of a line, checked and masked. */
function eventOf(row: TrajectoryEvent, sessionId: string, mask: Masking): AtlasEvent {
  const event = fromTrajectoryEvent(row, sessionId);
  if (event.type === "ContentContinued" || topicOf(event.type) !== "atlas.sessions")
    throw new AtlasError("ATLAS_EVENT_INVALID", `${event.type} is no event of a training line`);
  if (event.type === "SessionStarted") checkLearningKey(event.learning_key);
  // Says which field does not fit, where one does not.
  encodeEvent(event);
  return mask(event);
}

/** The session's own events in the order of their sequence; those of other sources stay where they are. */
function ordered(events: readonly AtlasEvent[], sessionId: string): AtlasEvent[] {
  const isOwn = ({ meta }: AtlasEvent): boolean => meta.source === sessionId;
  const own = events
    .filter(isOwn)
    .sort((a, b) => a.meta.sequence - b.meta.sequence)
    .values();
  return events.map((event) => (isOwn(event) ? own.next().value! : event));
}

function checkSteps(steps: number, most: number): void {
  if (steps <= most) return;
  throw new AtlasError("ATLAS_REQUEST_INVALID", `the trace has ${steps} steps`, {
    where: "trace.steps",
    hint: `Send at most ${most}, which score.max_steps sets.`,
  });
}

/** What a line of a training file was made from: everything that happened. */
function fromEvents(
  { trajectory_events, session_metadata }: GivenTrace,
  { mask, maxSteps }: Reading,
): SessionTrace {
  const id = session_metadata?.session_id;
  const sessionId = typeof id === "string" ? id : newId();
  try {
    const events = trajectory_events!.map(({ event }) =>
      eventOf(event as unknown as TrajectoryEvent, sessionId, mask),
    );
    const steps = new Set(events.map((event) => ("step_id" in event ? event.step_id : null)));
    steps.delete(null);
    checkSteps(steps.size, maxSteps);
    const trace = foldSession(ordered(events, sessionId));
    if (trace.started !== null) return trace;
  } catch (error) {
    if (isAtlasError(error, "ATLAS_MASK_FAILED") || isAtlasError(error, "ATLAS_REQUEST_INVALID")) throw error;
    throw new AtlasError("ATLAS_REQUEST_INVALID", `trace.trajectory_events: ${messageOf(error)}`);
  }
  throw new AtlasError("ATLAS_REQUEST_INVALID", "trace.trajectory_events: no event starts the session");
}

/** What is told without events: each step with what came of it. */
function fromTexts(
  { task, final_answer, ground_truth, steps }: GivenTrace,
  { mask, maxSteps }: Reading,
): SessionTrace {
  checkSteps(steps?.length ?? 0, maxSteps);
  const recorder = createRecorder({ flusher: collecting(mask), sessionId: newId() });
  const learning_key = "score";
  recorder.emit("SessionStarted", { task, learning_key, agent: "given", ground_truth: ground_truth ?? null });
  // A session without steps has done its work in one.
  const given = steps == null || steps.length === 0 ? [{ description: task, output: final_answer }] : steps;
  for (const [at, { description, output, guidance, ...rest }] of given.entries()) {
    const place = { step_id: "step_id" in rest && rest.step_id !== undefined ? rest.step_id : at + 1 };
    const status = "status" in rest && rest.status === "failed" ? "failed" : "succeeded";
    recorder.emit("StepStarted", { ...place, description: description ?? "" });
    recorder.emit("AttemptStarted", { ...place, attempt: 1, guidance: [...(guidance ?? [])] });
    recorder.emit("AttemptEnded", { ...place, attempt: 1, status: "completed", output: output ?? null });
    recorder.emit("StepEnded", { ...place, status, attempts: 1, output: output ?? null });
  }
  const answer = final_answer ?? null;
  recorder.emit("SessionEnded", { learning_key, status: "succeeded", final_answer: answer });
  return foldSession(recorder.history());
}

/**
 * The trace that a request holds: folded from its events where it has them, else made from its texts. It is masked, as
 * sessions are.
 *
 * @throws AtlasError ATLAS_REQUEST_INVALID, ATLAS_MASK_FAILED
 */
export const traceGiven = (given: GivenTrace, reading: Reading): SessionTrace =>
  given.trajectory_events != null && given.trajectory_events.length > 0
    ? fromEvents(given, reading)
    : fromTexts(given, reading);
