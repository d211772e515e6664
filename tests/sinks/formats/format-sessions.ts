import type { AtlasEvent } from "../../../schemas/generated/events.ts";
import { foldSession, withFacts } from "../../../traces/fold.ts";
import type { SessionTrace } from "../../../traces/session-trace.ts";
import { eventsOf } from "../../intake/import/recorded-rows.ts";
import { factsOf, RULES, sessionWriter, wholeSession } from "../../traces/sessions.ts";

/** What is harmless as long as it stays text: for spreadsheets, prototypes, encoders, line readers and file names. */
export const HOSTILE =
  '=HYPERLINK("http://x","y") __proto__ \ud800 \u2028 \u0085 \0 ../../etc/passwd "\\ 漢字 \u{1f600}';

/** The same as a reader gets it: what no file can hold is replaced. */
export const HARMLESS = HOSTILE.replace("\ud800", "\ufffd").replace("\0", "\ufffd");

/** A trace with what processors and people say of it. */
export const traceOf = (events: readonly AtlasEvent[], facts = true): SessionTrace => {
  const trace = foldSession(events);
  return facts ? withFacts(trace, factsOf(events)) : trace;
};

/** A run of two steps, the first of them tried twice. */
export const run = (name: string, options: Parameters<typeof wholeSession>[1] = {}): SessionTrace =>
  traceOf(wholeSession(name, options));

/** A recorded conversation. */
export function recordedTrace(
  messages: readonly unknown[],
  more: Record<string, unknown> = {},
): SessionTrace {
  const options = { assumedStart: 1_700_000_000_000_000, rulesHash: RULES };
  return foldSession(eventsOf({ messages, ...more }, options));
}

export const system = (content: string) => ({ role: "system", content });
export const user = (content: string) => ({ role: "user", content });
export const said = (content: unknown, ...tool_calls: unknown[]) => ({
  role: "assistant",
  content,
  tool_calls,
});
export const call = (id: string | undefined, name: string, args: unknown = "{}") => ({
  id,
  type: "function",
  function: { name, arguments: args },
});
export const result = (tool_call_id: string | undefined, content: string, name?: string) => ({
  role: "tool",
  content,
  tool_call_id,
  name,
});

/** Rollouts of one task by group. */
export function rollout(group: string, number: number, score: number): SessionTrace {
  const { events, emit } = sessionWriter(`${group} ${number}`);
  emit("SessionStarted", {
    task: "2 + 2?",
    learning_key: "sums",
    agent: "x",
    group_id: group,
    rollout: number,
  });
  emit("SessionEnded", { learning_key: "sums", status: "succeeded", final_answer: String(3 + number) });
  const judgement = emit("JudgementMade", { judge: "outcome", stage: "sample", score });
  emit("SessionJudged", {
    learning_key: "sums",
    judgements: [judgement.meta.event_id],
    rules_hash: RULES,
  });
  return traceOf(events);
}

/** Sessions of every kind, hostile ones among them. */
export function manySessions(): SessionTrace[] {
  const unjudged = sessionWriter("unjudged");
  unjudged.emit("SessionStarted", {
    task: HOSTILE,
    learning_key: HOSTILE,
    agent: "../../x",
    tags: [HOSTILE],
  });
  unjudged.emit("StepStarted", { step_id: 1, description: HOSTILE });
  unjudged.emit("AttemptStarted", { step_id: 1, attempt: 1 });
  unjudged.emit("AttemptEnded", { step_id: 1, attempt: 1, status: "completed", output: HOSTILE });
  unjudged.emit("StepEnded", { step_id: 1, status: "succeeded", attempts: 1, output: HOSTILE });
  unjudged.emit("SessionEnded", { learning_key: HOSTILE, status: "succeeded", final_answer: HOSTILE });
  const running = sessionWriter("running");
  running.emit("SessionStarted", { task: "still running", learning_key: "k", agent: "x" });
  return [
    run("first"),
    run("second", { status: "failed", metadata: '{"__proto__":{"x":1},"level":"three"}' }),
    traceOf(unjudged.events, false),
    traceOf(running.events, false),
    recordedTrace([
      system("Be kind."),
      user("Weather in Rome and Oslo?"),
      said(null, call("a", "weather", '{"city":"Rome"}'), call("b", "weather", '{"city":"Oslo"}')),
      result("b", "cold"),
      result("a", "warm"),
      said("Warm in Rome, cold in Oslo."),
      user("Thanks"),
    ]),
    recordedTrace([
      user("Hi"),
      said("Hello", call("z", "log", '{"__proto__":{"level":1}}')),
      result("z", HARMLESS),
      said("Done"),
    ]),
    rollout("g1", 0, 0),
    rollout("g1", 1, 1),
    rollout(HARMLESS, 0, 0.5),
  ];
}
