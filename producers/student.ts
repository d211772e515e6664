import { AtlasError, explain, isAtlasError, messageOf } from "../errors/atlas-error.ts";
import { isUnjudged } from "../judges/unjudged.ts";
import { versions } from "../models/prompt.ts";
import type { Recorder } from "../recording/recorder.ts";
import { interruptionOf, type SessionScope, stopwatch, unlessAborted } from "../recording/session-scope.ts";
import { sumOf, TokenCount } from "../recording/tokens.ts";
import { jsonText } from "../schemas/json-text.ts";
import type { Agent, AgentReply, AgentStep } from "./agents/agent.ts";
import { openContext } from "./agents/agent-context.ts";
import { failureBehind } from "./agents/failed-calls.ts";
import { tellUnseen } from "./agents/unseen-requests.ts";
import { RETRY_VERSION } from "./prompts/retry.ts";

/** What the student is given to do. */
export interface Assignment {
  agent: Agent;
  task: string;
  step: AgentStep;
  guidance: readonly string[];
  /** Which prompt the task is put in; undefined where it is the user's own words. */
  promptVersion?: string | undefined;
}

/** What an attempt came to. */
export type AttemptOutcome =
  | { status: "completed"; reply: AgentReply }
  | { status: "failed" | "cancelled"; error: AtlasError };

function usable(agent: Agent, answer: unknown): AgentReply {
  if (typeof answer === "string") return { content: answer };
  const content = (answer as { content?: unknown } | null | undefined)?.content;
  if (typeof content === "string") return answer as AgentReply;
  const kind = answer === null ? "null" : typeof answer;
  throw new AtlasError(
    "ATLAS_AGENT_FAILED",
    `the agent ${agent.name} answered with ${kind}, not with a text`,
    {
      hint: 'Answer with a string or with { content: "…" }.',
    },
  );
}

/** What an agent threw; an outage of a model that it asked is one still where its own SDK reports it. */
function failureOf(agent: Agent, error: unknown): AtlasError {
  if (isAtlasError(error)) return error;
  const behind = failureBehind(error);
  if (behind !== undefined && isUnjudged(behind)) return behind;
  return new AtlasError("ATLAS_AGENT_FAILED", `the agent ${agent.name} threw: ${messageOf(error)}`, {
    cause: error,
  });
}

/** Lets the agent make one attempt at a step, and records it. Never throws: an agent that does has failed. */
export async function attemptStep(scope: SessionScope, assignment: Assignment): Promise<AttemptOutcome> {
  const { recorder, signal } = scope;
  const { agent, task, step, guidance } = assignment;
  const place = { step_id: step.id, attempt: step.attempt };
  const tokens = new TokenCount(scope.tokens);
  // What a model is asked stands in its calls, but not every agent shows those.
  const prompt =
    assignment.promptVersion !== undefined && step.attempt === 1 ? jsonText({ prompt: task }) : null;
  recorder.emit("AttemptStarted", { ...place, guidance: [...guidance], context: prompt });
  const duration = stopwatch();
  const { ctx, unseen, close } = openContext({ ...scope, tokens }, step.id, step.attempt);

  const ended = (status: AttemptOutcome["status"], reply?: AgentReply, error?: AtlasError): void => {
    recorder.emit("AttemptEnded", {
      ...place,
      status,
      output: reply?.content ?? null,
      deliverable: reply?.deliverable === undefined ? null : jsonText(reply.deliverable),
      artifacts: reply?.artifacts === undefined ? null : jsonText(reply.artifacts),
      error: error === undefined ? null : explain(error),
      usage: sumOf(tokens.read()),
      duration_us: duration(),
    });
  };

  try {
    const retry = step.attempt > 1 ? RETRY_VERSION : undefined;
    const promptVersion = versions(assignment.promptVersion, retry);
    const input = { task, guidance, signal, step, promptVersion };
    const invoke = () => unseen.watch(() => agent.invoke(input, ctx));
    const reply = usable(agent, await unlessAborted(signal, invoke));
    close("the agent answered before this call ended");
    ended("completed", reply);
    if (unseen.count > 0 && tokens.read().calls === 0)
      tellUnseen(agent.name, recorder.sessionId, scope.logger);
    return { status: "completed", reply };
  } catch (thrown) {
    const interrupted = signal.aborted;
    const outcome = interrupted
      ? interruptionOf(scope)
      : { status: "failed" as const, error: failureOf(agent, thrown) };
    close(interrupted ? explain(outcome.error) : "the attempt failed before this call ended");
    ended(outcome.status, undefined, outcome.error);
    return outcome;
  }
}

/** What the student is asked that belongs to no step of its plan. */
export interface StudentRequest {
  agent: Agent;
  prompt: string;
  description: string;
  promptVersion: string;
  /** JSON Schema of the answer, where one JSON object is wanted. */
  jsonSchema?: Record<string, unknown>;
  /** What it answered before, where it is asked again. */
  previous?: string;
  guidance?: readonly string[];
}

/** The same session for what belongs to no step: its calls and messages name none. */
function outsideSteps(scope: SessionScope): SessionScope {
  const { recorder } = scope;
  const emit: Recorder["emit"] = (type, draft) =>
    recorder.emit(type, { ...draft, step_id: null, attempt: null });
  return { ...scope, recorder: { ...recorder, emit } };
}

/**
 * Asks the student for something about the whole task, such as a plan.
 *
 * @throws AtlasError ATLAS_AGENT_FAILED, or what the agent threw; the reason of the session's signal
 */
export async function askStudent(scope: SessionScope, request: StudentRequest): Promise<AgentReply> {
  const { signal } = scope;
  const { agent, prompt, description, previous, guidance = [] } = request;
  const attempt = previous === undefined ? 1 : 2;
  const step = { id: 0, description, attempt, ...(previous === undefined ? {} : { previous }) };
  const { ctx, close } = openContext(outsideSteps(scope), step.id, attempt);
  try {
    const retry = previous === undefined ? undefined : RETRY_VERSION;
    const promptVersion = versions(request.promptVersion, retry);
    const input = { task: prompt, guidance, signal, step, promptVersion, jsonSchema: request.jsonSchema };
    const reply = usable(agent, await unlessAborted(signal, () => agent.invoke(input, ctx)));
    close("the agent answered before this call ended");
    return reply;
  } catch (thrown) {
    const error = signal.aborted ? interruptionOf(scope).error : failureOf(agent, thrown);
    close(explain(error));
    throw error;
  }
}
