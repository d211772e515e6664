import { AtlasError, messageOf } from "../../errors/atlas-error.ts";
import { collecting } from "../../reactors/judging/collected-events.ts";
import { createRecorder } from "../../recording/recorder.ts";
import { encodeEvent } from "../../schemas/codec.ts";
import { newId } from "../../schemas/identity.ts";
import type { Masking } from "../../schemas/masked.ts";
import { foldSession } from "../../traces/fold.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import { fromTrajectoryEvent, type TrajectoryEvent } from "../../traces/trajectory-event.ts";
import type { GivenTrace } from "./score-request.ts";

/** What a line of a training file was made from: everything that happened. */
function fromEvents({ trajectory_events, session_metadata }: GivenTrace): SessionTrace {
  const id = session_metadata?.session_id;
  const sessionId = typeof id === "string" ? id : newId();
  try {
    const trace = foldSession(
      trajectory_events!.map(({ event: row }) => {
        const event = fromTrajectoryEvent(row as unknown as TrajectoryEvent, sessionId);
        // Says which field does not fit, where one does not.
        encodeEvent(event);
        return event;
      }),
    );
    if (trace.started !== null) return trace;
  } catch (error) {
    throw new AtlasError("ATLAS_REQUEST_INVALID", `trace.trajectory_events: ${messageOf(error)}`);
  }
  throw new AtlasError("ATLAS_REQUEST_INVALID", "trace.trajectory_events: no event starts the session");
}

/** What is told without events: each step with what came of it. */
function fromTexts({ task, final_answer, ground_truth, steps }: GivenTrace, mask: Masking): SessionTrace {
  const recorder = createRecorder({ flusher: collecting(mask), sessionId: newId() });
  const learning_key = "score";
  recorder.emit("SessionStarted", { task, learning_key, agent: "given", ground_truth: ground_truth ?? null });
  // A session without steps has done its work in one.
  const told = steps == null || steps.length === 0 ? [{ description: task, output: final_answer }] : steps;
  for (const [at, { description, output, guidance, ...rest }] of told.entries()) {
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
 * The trace that a request holds: folded from its events where it has them, else made from its texts.
 *
 * @throws AtlasError ATLAS_REQUEST_INVALID
 */
export const traceGiven = (given: GivenTrace, mask: Masking): SessionTrace =>
  given.trajectory_events != null && given.trajectory_events.length > 0
    ? fromEvents(given)
    : fromTexts(given, mask);
