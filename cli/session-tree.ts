import type {
  AtlasEvent,
  JudgementMade,
  MessageRecorded,
  ModelCallEnded,
  ToolCallEnded,
} from "../schemas/generated/events.ts";
import { isoOf } from "../schemas/identity.ts";
import { jsonValue } from "../traces/clean-text.ts";
import { isImported, messagesOf, saidIn, sayingOf } from "../traces/recorded-turns.ts";
import type { SessionTrace, TraceAttempt, TraceStep } from "../traces/session-trace.ts";
import { oneLine, style } from "./output.ts";

/** A line of a tree and what is below it. */
interface Node {
  text: string;
  children: Node[];
}

const WIDTH = 100;
const node = (text: string, children: Node[] = []): Node => ({ text, children });
const said = (label: string, text: string | null | undefined): Node[] =>
  text ? [node(`${label}: ${oneLine(text, WIDTH)}`)] : [];
const ms = (micros: number | null | undefined): string =>
  micros == null ? "" : ` ${Math.round(micros / 1000)} ms`;

const STATUS_STYLE: Record<string, "green" | "red" | "yellow"> = {
  succeeded: "green",
  completed: "green",
  approved: "green",
  valid: "green",
  failed: "red",
  quarantined: "red",
  invalid: "red",
};
const status = (text: string): string => style(STATUS_STYLE[text] ?? "yellow", text);

function modelNode(call: ModelCallEnded): Node {
  const tokens = call.usage == null ? "" : ` ${call.usage.total_tokens} tokens`;
  const failed = call.error == null ? "" : ` ${style("red", "failed")}`;
  return node(
    `model ${oneLine(`${call.provider}/${call.model}`, 60)} for the ${call.role}${tokens}${ms(call.duration_us)}${failed}`,
    said("error", call.error),
  );
}

function toolNode(call: ToolCallEnded, args: string | undefined): Node {
  const failed = call.error == null ? "" : ` ${style("red", "failed")}`;
  return node(`tool ${oneLine(call.name, 60)}(${oneLine(args ?? "", 60)})${ms(call.duration_us)}${failed}`, [
    ...said("output", call.output),
    ...said("error", call.error),
  ]);
}

/** The model and tool calls of one attempt, in the order in which they ended. */
function callsOf(trace: SessionTrace, step: number | null, attempt: number | null): Node[] {
  const started = new Map(
    trace.events.flatMap((event) =>
      event.type === "ToolCallStarted" ? [[event.call_id, event.arguments] as const] : [],
    ),
  );
  const mine = (event: AtlasEvent): event is ModelCallEnded | ToolCallEnded =>
    (event.type === "ModelCallEnded" || event.type === "ToolCallEnded") &&
    (event.step_id ?? null) === step &&
    (event.attempt ?? null) === attempt;
  return trace.events
    .filter(mine)
    .map((event) =>
      event.type === "ModelCallEnded" ? modelNode(event) : toolNode(event, started.get(event.call_id)),
    );
}

function attemptNode(trace: SessionTrace, step: TraceStep, attempt: TraceAttempt): Node {
  const { validation } = attempt;
  const verdict =
    validation === null
      ? []
      : [
          node(
            `teacher: ${status(validation.verdict)}${validation.reason ? ` — ${oneLine(validation.reason, WIDTH)}` : ""}`,
          ),
        ];
  return node(`attempt ${attempt.attempt}: ${status(attempt.status)}${ms(attempt.duration_us)}`, [
    ...attempt.guidance.flatMap((note) => said("guidance", note)),
    ...callsOf(trace, step.step_id, attempt.attempt),
    ...said("output", attempt.output),
    ...said("error", attempt.error),
    ...verdict,
  ]);
}

/** A recorded conversation as it went: who said what, and what the agent's tools gave. */
function turnNodes(trace: SessionTrace): Node[] {
  const isResult = ({ role }: MessageRecorded): boolean => role === "tool" || role === "function";
  return messagesOf(trace).flatMap((message) => {
    if (isResult(message)) return message.step_id == null ? said("result", sayingOf(message)) : [];
    if (message.role !== "assistant") return said(message.role, sayingOf(message));
    const calls = callsOf(trace, message.step_id ?? null, message.attempt ?? null);
    const text = oneLine(saidIn(message), WIDTH);
    return [node(`step ${message.step_id}: ${text === "" ? "calls" : text}`, calls)];
  });
}

function stepNodes(trace: SessionTrace): Node[] {
  if (isImported(trace)) return turnNodes(trace);
  return trace.steps.map((step) =>
    node(
      `step ${step.step_id}: ${status(step.status)} — ${oneLine(step.description, 80)}`,
      step.attempts.map((attempt) => attemptNode(trace, step, attempt)),
    ),
  );
}

/** How a recording was read, where the session is one. */
function formatNodes({ started }: SessionTrace): Node[] {
  if (started?.format == null) return [];
  const tools = jsonValue(started.tools);
  const count = Array.isArray(tools)
    ? `${tools.length} declared`
    : started.tools_source === "observed"
      ? "not declared"
      : "none";
  const group = started.group_id == null ? "" : `, group ${oneLine(started.group_id, 60)}`;
  const old = started.supersedes == null ? "" : `, in place of ${started.supersedes}`;
  return [node(`format ${started.format}@${started.translation ?? 0}, tools ${count}${group}${old}`)];
}

function judgementNode({ judge, score, stage, rationale, step_id }: JudgementMade): Node {
  const what = step_id == null ? "" : ` of step ${step_id}`;
  return node(
    `judge ${judge}${what} (${stage}): ${score.toFixed(2)}${rationale ? ` — ${oneLine(rationale, WIDTH)}` : ""}`,
  );
}

function rewardNodes({ reward, drift }: SessionTrace): Node[] {
  if (reward === null) return [node("reward: none; the session has no valid judgement")];
  const { score, statistics } = reward;
  const figures = `reward: ${style("bold", score.toFixed(3))} ± ${statistics.score_stddev.toFixed(3)} of ${statistics.sample_count}`;
  if (drift === null) return [node(figures)];
  const against = drift.baseline.map(({ metric, sample_count }) => `${metric} of ${sample_count}`).join(", ");
  const verdict = drift.alert
    ? style("red", `ALERT ${drift.direction ?? ""} ${drift.reason ?? ""}`)
    : (drift.reason ?? "ok");
  return [node(figures), node(`drift: ${verdict}${against === "" ? "" : ` (against ${against})`}`)];
}

function reviewNodes({ review_changes, review_status }: SessionTrace): Node[] {
  const changes = review_changes.map((change) =>
    node(
      `${change.from_status} → ${status(change.to_status)} by ${change.author ?? change.because}${change.note ? ` — ${oneLine(change.note, WIDTH)}` : ""}`,
    ),
  );
  return [node(`review: ${status(review_status)}`, changes)];
}

function treeOf(trace: SessionTrace): Node {
  const { started } = trace;
  const marks = [
    ...(trace.simulated ? [style("yellow", "simulated")] : []),
    ...(trace.incomplete ? [style("red", `incomplete: ${trace.incomplete_reasons.join("; ")}`)] : []),
    ...(trace.time_assumed ? ["times assumed"] : []),
  ];
  const when = trace.created_at === null ? "" : ` ${isoOf(trace.created_at).slice(0, 19)}Z`;
  return node(
    `${style("bold", `session ${trace.session_id}`)} ${status(trace.status)}${when}${ms(trace.duration_us)}${marks.length > 0 ? ` [${marks.join(", ")}]` : ""}`,
    [
      ...said("task", started?.task),
      node(
        `agent ${oneLine(started?.agent ?? "?", 60)} (${started?.agent_kind ?? started?.origin ?? "?"}), learning key ${oneLine(started?.learning_key ?? "?", 80)}`,
      ),
      ...formatNodes(trace),
      ...trace.lanes.map(({ lane, reason }) => node(`lane ${lane} (${reason})`)),
      ...stepNodes(trace),
      ...callsOf(trace, null, null),
      ...said("answer", trace.final_answer),
      ...said("error", trace.error),
      ...trace.judgements.map(judgementNode),
      ...trace.judgement_failures.map(({ judge, reason }) =>
        node(`judge ${judge}: ${style("red", "no score")} — ${oneLine(reason, WIDTH)}`),
      ),
      ...rewardNodes(trace),
      ...reviewNodes(trace),
    ],
  );
}

function draw({ text, children }: Node, before: string, below: string): string[] {
  return [
    `${before}${text}`,
    ...children.flatMap((child, index) => {
      const last = index === children.length - 1;
      return draw(child, `${below}${last ? "└─ " : "├─ "}`, `${below}${last ? "   " : "│  "}`);
    }),
  ];
}

/** The tree of what happened in a session, a line each. */
export const sessionTree = (trace: SessionTrace): string[] => draw(treeOf(trace), "", "");
