import type { AtlasEvent, EventType, Micros, Uuid } from "../../schemas/generated/events.ts";
import { joinContent } from "../../traces/content.ts";
import {
  chatAttributes,
  chatOutcome,
  errorType,
  sessionAttributes,
  sessionOutcome,
  toolAttributes,
  toolOutcome,
} from "./gen-ai-attributes.ts";
import { known, type Span, type SpanAttributes, spanIdOf } from "./span.ts";

type Handlers = { [T in EventType]?: (event: Extract<AtlasEvent, { type: T }>) => void };

/** How a span ended. */
interface Ending {
  event: AtlasEvent;
  attributes: SpanAttributes;
  /** Why it failed; null where it did not. */
  error: string | null;
}

const attemptKey = (stepId: number, attempt: number): string => `${stepId}/${attempt}`;

/**
 * Folds the events of one session, in their order, to spans. A span is given away when it ends; the session's own when
 * no more events are to come, because judgements belong to it.
 *
 * @example
 * const spans = new SessionSpans((span) => send(span), { capture: false });
 * for (const event of events) spans.add(event);
 * spans.end();
 */
export class SessionSpans {
  readonly #finished: (span: Span) => void;
  /** Whether prompts, answers and error texts go into spans. */
  readonly #capture: boolean;
  readonly #calls = new Map<Uuid, Span>();
  readonly #steps = new Map<number, Span>();
  readonly #attempts = new Map<string, Span>();
  #session: Span | undefined;
  /** An event whose content may go on in the next ones. */
  #held: AtlasEvent[] = [];
  /** The time of the last event. */
  #last: Micros = 0;
  /** Whether the end of the session was seen. */
  #over = false;

  constructor(finished: (span: Span) => void, { capture }: { capture: boolean }) {
    this.#finished = finished;
    this.#capture = capture;
  }

  add(event: AtlasEvent): void {
    this.#last = event.meta.occurred_at;
    if (event.type === "ContentContinued") {
      this.#held.push(event);
      return;
    }
    this.#release();
    this.#held = [event];
  }

  /**
   * Gives away the session's own span, and before it those whose end was not recorded: they end with the last event.
   */
  end(): void {
    this.#release();
    const open = [...this.#calls.values(), ...this.#attempts.values(), ...this.#steps.values()];
    for (const span of open) {
      span.until = Math.max(this.#last, span.from);
      this.#finished(span);
    }
    if (this.#session === undefined) return;
    if (!this.#over) this.#session.until = Math.max(this.#last, this.#session.from);
    this.#finished(this.#session);
  }

  #release(): void {
    const [event] = this.#held.length > 1 ? joinContent(this.#held) : this.#held;
    this.#held = [];
    if (event === undefined) return;
    const handle = this.#handlers[event.type] as ((event: AtlasEvent) => void) | undefined;
    handle?.(event);
  }

  #begin(event: AtlasEvent, id: Uuid, name: string, parent: Span | undefined): Span {
    const from = event.meta.occurred_at;
    return {
      traceId: event.meta.trace_id ?? "",
      spanId: spanIdOf(id),
      parentId: parent?.spanId,
      name,
      kind: "internal",
      from,
      until: from,
      failed: false,
      attributes: {},
      moments: [],
    };
  }

  #end(span: Span | undefined, { event, attributes, error }: Ending): void {
    if (span === undefined) return;
    span.until = Math.max(event.meta.occurred_at, span.from);
    Object.assign(span.attributes, attributes);
    if (error !== null) span.failed = true;
    if (error !== null && this.#capture) span.message = error;
    if (span !== this.#session) this.#finished(span);
  }

  /** Within which span a call is: the call around it, else its attempt while that lasts, else its step or session. */
  #around(call: {
    parent_id?: Uuid | null;
    step_id?: number | null;
    attempt?: number | null;
  }): Span | undefined {
    const { parent_id: parent, step_id: step, attempt } = call;
    const outer = parent == null ? undefined : this.#calls.get(parent);
    if (outer !== undefined || step == null) return outer ?? this.#session;
    return this.#attempts.get(attemptKey(step, attempt ?? 0)) ?? this.#steps.get(step) ?? this.#session;
  }

  #take<K>(open: Map<K, Span>, key: K): Span | undefined {
    const span = open.get(key);
    open.delete(key);
    return span;
  }

  #judged(event: Extract<AtlasEvent, { type: "JudgementMade" | "JudgementFailed" }>): void {
    const attributes =
      event.type === "JudgementFailed"
        ? { "error.type": errorType(event.reason) }
        : known({
            "gen_ai.evaluation.score.value": event.score,
            "gen_ai.evaluation.explanation": this.#capture ? event.rationale : null,
          });
    this.#session?.moments.push({
      name: "gen_ai.evaluation.result",
      at: event.meta.occurred_at,
      attributes: { "gen_ai.evaluation.name": event.judge, ...attributes },
    });
  }

  readonly #handlers: Handlers = {
    SessionStarted: (event) => {
      this.#session = this.#begin(event, event.meta.event_id, `invoke_agent ${event.agent}`, undefined);
      this.#session.attributes = sessionAttributes(event, this.#capture);
    },
    LaneSelected: ({ lane }) => {
      if (this.#session !== undefined) this.#session.attributes["atlas.lane"] = lane;
    },
    StepStarted: (event) => {
      const span = this.#begin(event, event.meta.event_id, `step ${event.step_id}`, this.#session);
      span.attributes = known({
        "atlas.step.id": event.step_id,
        "atlas.step.description": this.#capture ? event.description : null,
      });
      this.#steps.set(event.step_id, span);
    },
    AttemptStarted: (event) => {
      const { step_id, attempt } = event;
      const around = this.#steps.get(step_id) ?? this.#session;
      const span = this.#begin(event, event.meta.event_id, `attempt ${attempt}`, around);
      span.attributes = { "atlas.step.id": step_id, "atlas.attempt": attempt };
      this.#attempts.set(attemptKey(step_id, attempt), span);
    },
    ModelCallStarted: (event) => {
      const span = this.#begin(event, event.call_id, `chat ${event.model}`, this.#around(event));
      span.kind = "client";
      span.attributes = chatAttributes(event, this.#capture);
      this.#calls.set(event.call_id, span);
    },
    ModelCallEnded: (event) => {
      const attributes = chatOutcome(event, this.#capture);
      this.#end(this.#take(this.#calls, event.call_id), { event, attributes, error: event.error ?? null });
    },
    ToolCallStarted: (event) => {
      const span = this.#begin(event, event.call_id, `execute_tool ${event.name}`, this.#around(event));
      span.attributes = toolAttributes(event, this.#capture);
      this.#calls.set(event.call_id, span);
    },
    ToolCallEnded: (event) => {
      const attributes = toolOutcome(event, this.#capture);
      this.#end(this.#take(this.#calls, event.call_id), { event, attributes, error: event.error ?? null });
    },
    AttemptEnded: (event) => {
      const { step_id, attempt, status, error } = event;
      const failure = status === "completed" ? null : (error ?? status);
      const attributes = failure === null ? {} : { "error.type": errorType(error) };
      this.#end(this.#take(this.#attempts, attemptKey(step_id, attempt)), {
        event,
        attributes: { "atlas.attempt.status": status, ...attributes },
        error: failure,
      });
    },
    StepValidated: (event) => {
      const { step_id, attempt, verdict, cached } = event;
      this.#steps.get(step_id)?.moments.push({
        name: "atlas.step_validated",
        at: event.meta.occurred_at,
        attributes: known({ "atlas.attempt": attempt, "atlas.verdict": verdict, "atlas.cached": cached }),
      });
    },
    StepEnded: (event) => {
      const { step_id, status, attempts, reason } = event;
      const failure = status === "succeeded" ? null : (reason ?? status);
      const attributes = failure === null ? {} : { "error.type": errorType(reason) };
      this.#end(this.#take(this.#steps, step_id), {
        event,
        attributes: { "atlas.step.status": status, "atlas.step.attempts": attempts, ...attributes },
        error: failure,
      });
    },
    SessionEnded: (event) => {
      const error = event.status === "succeeded" ? null : (event.error ?? event.status);
      this.#over = true;
      this.#end(this.#session, { event, attributes: sessionOutcome(event, this.#capture), error });
    },
    JudgementMade: (event) => this.#judged(event),
    JudgementFailed: (event) => this.#judged(event),
  };
}
