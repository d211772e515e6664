import { isObject } from "../../traces/clean-text.ts";
import { toolDefinitions } from "../chat/tool-definitions.ts";
import { Attributes } from "../spans/attributes.ts";
import { parsedText } from "../spans/said.ts";
import { saidInPayloads } from "../spans/said-in.ts";
import type { Work, WorkKind } from "../spans/work.ts";
import { toolRunOf } from "../spans/work-of-span.ts";
import { numberIn, textIn } from "./fields.ts";
import type { ReadingContext, RecordedScore, RecordedUsage } from "./format.ts";

export type Run = Record<string, unknown>;

const KINDS: Record<string, WorkKind> = { llm: "model", tool: "tool" };

const within = (value: unknown, ...path: string[]): unknown => {
  let at = parsedText(value);
  for (const name of path) {
    if (Array.isArray(at)) at = at[0] as unknown;
    if (Array.isArray(at)) at = at[0] as unknown;
    at = isObject(at) ? parsedText(at[name]) : undefined;
  }
  return at;
};

/** Where tokens are counted, from what LangSmith counted itself to what the provider said. */
const COUNTED: readonly string[][] = [
  ["outputs", "usage_metadata"],
  ["extra", "metadata", "usage_metadata"],
  ["outputs", "generations", "message", "kwargs", "usage_metadata"],
  ["outputs", "generations", "message", "usage_metadata"],
  ["outputs", "generations", "message", "kwargs", "response_metadata", "tokenUsage"],
  ["outputs", "llm_output", "token_usage"],
  ["outputs", "llm_output", "tokenUsage"],
  ["outputs", "usage"],
  [],
];

function countsIn(counts: Record<string, unknown>): RecordedUsage | undefined {
  const number = (...names: string[]): number | undefined =>
    names.map((name) => numberIn(within(counts, ...name.split(".")))).find((found) => found !== undefined);
  const prompt = number("input_tokens", "prompt_tokens", "promptTokens");
  const completion = number("output_tokens", "completion_tokens", "completionTokens");
  if (prompt === undefined && completion === undefined) return undefined;
  return {
    prompt,
    completion,
    total: number("total_tokens", "totalTokens"),
    reasoning: number("output_token_details.reasoning", "completion_tokens_details.reasoning_tokens"),
    cached: number(
      "input_token_details.cache_read",
      "prompt_tokens_details.cached_tokens",
      "cache_read_input_tokens",
    ),
  };
}

function usageOf(run: Run): RecordedUsage | undefined {
  for (const path of COUNTED) {
    const counts = within(run, ...path);
    const usage = isObject(counts) ? countsIn(counts) : undefined;
    if (usage !== undefined) return usage;
  }
  return undefined;
}

/** What people and evaluators said of a run: their feedback, or what LangSmith counted of it. */
export function scoresOf(run: Run): RecordedScore[] {
  const { feedback, feedback_stats } = run;
  const list = Array.isArray(feedback) ? (feedback as unknown[]).filter(isObject) : [];
  const given = list.flatMap((each): RecordedScore[] => {
    const [judge, score] = [textIn(each.key), numberIn(each.score ?? each.value)];
    return judge === undefined || score === undefined
      ? []
      : [{ judge, score, rationale: textIn(each.comment) }];
  });
  const known = new Set(given.map(({ judge }) => judge));
  const stats = isObject(feedback_stats) ? Object.entries(feedback_stats) : [];
  const counted = stats.flatMap(([judge, value]): RecordedScore[] => {
    const score = isObject(value) ? numberIn(value.avg) : undefined;
    return score === undefined || known.has(judge) ? [] : [{ judge, score }];
  });
  return [...given, ...counted];
}

/** Each part of the order of a run names a run: those that it is within, and itself. */
const orderOf = (run: Run): string[] =>
  (textIn(run.dotted_order) ?? "").split(".").map((part) => part.replace(/^\d{8}T\d+Z/, ""));

export const traceOf = (run: Run): string | undefined =>
  textIn(run.trace_id) ?? (orderOf(run)[0] || undefined);

const parentOf = (run: Run): string | undefined => textIn(run.parent_run_id) ?? orderOf(run).at(-2);

/** The work that a run is. */
export function workOfRun(run: Run, traceId: string, { timeOf }: ReadingContext): Work {
  const { inputs, outputs, child_runs: _children, ...rest } = run;
  const kind = KINDS[String(run.run_type)] ?? "other";
  const name = textIn(run.name) ?? "";
  const parentId = parentOf(run);
  const payloads: [unknown, unknown] = [parsedText(inputs), parsedText(outputs)];
  const invocation = within(run, "extra", "invocation_params");
  const offered = isObject(invocation) ? (invocation.tools ?? invocation.functions) : undefined;
  const said = kind === "tool" ? {} : saidInPayloads(kind, payloads);
  const model = [
    within(run, "outputs", "model"),
    within(run, "extra", "metadata", "ls_model_name"),
    within(run, "inputs", "model"),
    isObject(invocation) ? (invocation.model ?? invocation.model_name) : undefined,
  ];
  return {
    traceId,
    id: String(run.id),
    parentId,
    name,
    kind,
    start: timeOf(run.start_time, "start_time"),
    end: timeOf(run.end_time, "end_time"),
    error: textIn(run.error) ?? (run.status === "error" ? "" : undefined),
    agent: parentId === undefined && kind === "other" ? name || undefined : undefined,
    model: model.map(textIn).find((found) => found !== undefined),
    said: { ...said, tools: said.tools ?? toolDefinitions(offered) },
    tool: kind === "model" ? undefined : toolRunOf(new Attributes({}), name, toolPayloads(payloads)),
    usage: kind === "model" ? usageOf(run) : undefined,
    cost: kind === "model" ? numberIn(run.total_cost) : undefined,
    scores: scoresOf(run),
    spoken: { inputs, outputs, extra: { invocation_params: invocation } },
    rest: {
      ...rest,
      extra: isObject(run.extra) ? { ...run.extra, invocation_params: undefined } : run.extra,
    },
  };
}

/** A tool takes and gives one value, which stands under a name. */
function toolPayloads([input, output]: [unknown, unknown]): [unknown, unknown] {
  const one = (value: unknown, name: string): unknown =>
    isObject(value) && Object.keys(value).length === 1 && name in value ? parsedText(value[name]) : value;
  return [one(input, "input"), one(output, "output")];
}
