import { createEvent } from "../schemas/codec.ts";
import type { AtlasEvent, Draft, EventType, TokenUsage, Uuid } from "../schemas/generated/events.ts";
import { idOf } from "../schemas/identity.ts";
import { DEFAULT_RULES, rulesHash } from "../schemas/rules.ts";

/** How many events a step makes, and what comes around the steps. */
const EVENTS_OF_A_STEP = 11;
const EVENTS_AROUND = 5;
/** And how many a session without calls has. */
const SMALL = 8;
const START_OF_TIME = Date.UTC(2026, 0, 1) * 1000;
const WORDS =
  "the request token session query handler parser returns without checking input boundary header cookie value index user limit cache lock timeout retry error path buffer length escape column filter role check".split(
    " ",
  );
const MODEL = { provider: "openai", model: "gpt-5.4-mini" };

/** Pseudo-random numbers from 0 to below 1, the same for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** About this many characters of text. */
export function textFrom(random: () => number, length: number): string {
  const words: string[] = [];
  for (let left = length; left > 0; left -= words.at(-1)!.length + 1) {
    words.push(WORDS[Math.floor(random() * WORDS.length)]!);
  }
  return words.join(" ");
}

/** Writes one session, event by event. */
class SessionWriter {
  readonly events: AtlasEvent[] = [];
  readonly sessionId: Uuid;
  private readonly random: () => number;
  private at: number;

  constructor(number: number) {
    this.sessionId = idOf("bench", number);
    this.random = randomFrom(number);
    this.at = START_OF_TIME + number * 60_000_000;
  }

  emit<T extends EventType>(type: T, draft: Draft<T>): Uuid {
    const sequence = this.events.length + 1;
    this.at += 1 + this.upTo(900_000);
    const meta = {
      event_id: idOf(this.sessionId, sequence),
      session_id: this.sessionId,
      source: this.sessionId,
      sequence,
      occurred_at: this.at,
      time_assumed: false,
      trace_id: this.sessionId.replaceAll("-", ""),
    };
    this.events.push(createEvent(type, meta, draft));
    return meta.event_id;
  }

  /** Ends the session, and has it judged with about so many characters of reason: three events. */
  end(learning_key: string, final_answer: string, why: number): AtlasEvent[] {
    this.emit("SessionEnded", {
      learning_key,
      status: "succeeded",
      final_answer,
      usage: this.usage(),
      duration_us: this.at - START_OF_TIME,
    });
    const score = Math.round(this.random() * 100) / 100;
    const judged = { judge: "session", stage: "sample", score, uncertainty: 0.1, rationale: this.text(why) };
    const judgements = [this.emit("JudgementMade", { ...judged, ...MODEL })];
    this.emit("SessionJudged", { learning_key, judgements, missing: [], rules_hash: RULES_HASH });
    return this.events;
  }

  /** One step without any call: eight events of few words. */
  writeSmall(): AtlasEvent[] {
    const learning_key = `bench-${this.upTo(200)}`;
    const output = this.text(60);
    const attempt = { step_id: 1, attempt: 1 };
    this.emit("SessionStarted", { task: this.text(60), learning_key, agent: "reviewer", tags: ["bench"] });
    this.emit("StepStarted", { step_id: 1, description: this.text(40) });
    this.emit("AttemptStarted", attempt);
    this.emit("AttemptEnded", { ...attempt, status: "completed", output, usage: this.usage() });
    this.emit("StepEnded", { step_id: 1, status: "succeeded", attempts: 1, output });
    return this.end(learning_key, output, 60);
  }

  upTo(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  text(length: number): string {
    return textFrom(this.random, length);
  }

  usage(): TokenUsage {
    const prompt_tokens = 200 + this.upTo(2000);
    const completion_tokens = 20 + this.upTo(400);
    return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens, calls: 1 };
  }

  modelCall(step_id: number, role: string, content: string): void {
    const call_id = `call-${step_id}-${role}`;
    const place = { call_id, step_id, attempt: 1, role, ...MODEL };
    const messages = [
      { role: "system", content: this.text(300) },
      { role: "user", content: this.text(500) },
    ];
    this.emit("ModelCallStarted", {
      ...place,
      messages: JSON.stringify(messages),
      parameters: '{"temperature":0}',
    });
    this.emit("ModelCallEnded", {
      ...place,
      content,
      finish_reason: "stop",
      usage: this.usage(),
      duration_us: 400_000 + this.upTo(4_000_000),
    });
  }

  step(step_id: number): void {
    const tool = { call_id: `tool-${step_id}`, step_id, attempt: 1, name: "read_file" };
    const output = this.text(500);
    this.emit("StepStarted", { step_id, description: this.text(120), tool: tool.name });
    this.emit("AttemptStarted", { step_id, attempt: 1, context: JSON.stringify({ prior: this.text(400) }) });
    this.modelCall(step_id, "student", output);
    const path = `src/${this.upTo(1000)}.ts`;
    this.emit("ToolCallStarted", { ...tool, arguments: JSON.stringify({ path, reason: this.text(200) }) });
    this.emit("ToolCallEnded", { ...tool, output: this.text(1200), duration_us: this.upTo(200_000) });
    this.modelCall(step_id, "teacher", this.text(300));
    this.emit("StepValidated", {
      step_id,
      attempt: 1,
      verdict: "valid",
      reason: this.text(300),
      cached: false,
    });
    this.emit("AttemptEnded", { step_id, attempt: 1, status: "completed", output, usage: this.usage() });
    this.emit("StepEnded", { step_id, status: "succeeded", attempts: 1, output });
  }

  write(steps: number): AtlasEvent[] {
    const learning_key = `bench-${this.upTo(20)}`;
    const final_answer = this.text(500);
    this.emit("SessionStarted", {
      task: this.text(200),
      learning_key,
      agent: "reviewer",
      tags: ["bench"],
      executor_system_prompt: this.text(300),
      metadata: JSON.stringify({ repository: `service-${this.upTo(50)}`, ticket: this.upTo(10_000) }),
    });
    const plan = Array.from({ length: steps }, (_, index) => ({
      id: index + 1,
      description: this.text(100),
      depends_on: index === 0 ? [] : [index],
    }));
    this.emit("PlanProposed", { plan: { steps: plan, execution_mode: "stepwise" } });
    for (let step = 1; step <= steps; step += 1) this.step(step);
    return this.end(learning_key, final_answer, 400);
  }
}

const RULES_HASH = rulesHash(DEFAULT_RULES);

/**
 * The primary events of made-up sessions, each the same in every run: a plan, steps with a tool call and two model
 * calls each, an answer and its judgement. An event takes about 800 bytes. Sessions of eight events have one step without
 * any call, and events of few words.
 *
 * @param events events of each session, as near as whole steps come to it
 * @param after how many sessions were made before
 */
export function* madeUpSessions(sessions: number, events: number, after = 0): Generator<AtlasEvent[]> {
  const steps = Math.max(1, Math.round((events - EVENTS_AROUND) / EVENTS_OF_A_STEP));
  for (let number = after + 1; number <= sessions; number += 1) {
    const writer = new SessionWriter(number);
    yield events === SMALL ? writer.writeSmall() : writer.write(steps);
  }
}

/** Events in batches of this many; the last one may be smaller. */
export function* inBatches<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
