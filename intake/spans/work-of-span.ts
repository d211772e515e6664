import { isObject } from "../../traces/clean-text.ts";
import { numberIn, present, textIn } from "../formats/fields.ts";
import type { RecordedScore } from "../formats/format.ts";
import { Attributes } from "./attributes.ts";
import { isSayingEvent } from "./genai-events.ts";
import { firstSaid, parsedText } from "./said.ts";
import { saidInAttributes, saidInPayloads } from "./said-in.ts";
import type { Span } from "./span.ts";
import { kindOf } from "./span-kind.ts";
import { costIn, usageIn } from "./usage-in.ts";
import type { ToolRun, Work, WorkKind } from "./work.ts";

/** Attributes with the whole input and the whole output of a span. */
const INPUTS = [
  "input.value",
  "traceloop.entity.input",
  "langfuse.observation.input",
  "gcp.vertex.agent.llm_request",
  "input",
] as const;
const OUTPUTS = [
  "output.value",
  "traceloop.entity.output",
  "langfuse.observation.output",
  "gcp.vertex.agent.llm_response",
  "output",
] as const;

const takeFirst = (attributes: Attributes, names: readonly string[]): unknown =>
  names.map((name) => attributes.take(name)).find((found) => found !== undefined && found !== "");

const firstOwn = (attributes: Attributes, names: readonly string[]): unknown =>
  names.map((name) => attributes.takeOwn(name)).find((found) => found !== undefined && found !== "");

/** The run of a tool that attributes tell of, or the input and output of a span. */
export function toolRunOf(
  attributes: Attributes,
  spanName: string,
  [input, output]: [unknown, unknown],
): ToolRun {
  const given = takeFirst(attributes, [
    "gen_ai.tool.call.arguments",
    "ai.toolCall.args",
    "tool_arguments",
    "gcp.vertex.agent.tool_call_args",
  ]);
  const result = takeFirst(attributes, [
    "gen_ai.tool.call.result",
    "ai.toolCall.result",
    "tool_response",
    "gcp.vertex.agent.tool_response",
  ]);
  const name = attributes.text("gen_ai.tool.name", "tool.name", "ai.toolCall.name", "traceloop.entity.name");
  const answer = result ?? output;
  const id = attributes.text("gen_ai.tool.call.id", "tool_call.id", "ai.toolCall.id", "tool.id");
  return { id: id ?? callIn(answer), name: name ?? spanName, arguments: given ?? input, result: answer };
}

/** The call that a result says it answers: messages of LangChain do. */
function callIn(result: unknown): string | undefined {
  const given = parsedText(result);
  if (!isObject(given)) return undefined;
  const { kwargs, output } = given;
  return textIn(given.tool_call_id) ?? callIn(kwargs) ?? callIn(output);
}

/** The name of the agent that a span is of. */
export function agentOf(attributes: Attributes, kind: WorkKind, name: string): string | undefined {
  const named = attributes.text(
    "gen_ai.agent.name",
    "agent.name",
    "agent_name",
    "ai.telemetry.functionId",
    "graph.node.name",
  );
  if (named !== undefined || kind !== "agent") return named;
  return attributes.text("traceloop.entity.name") ?? (name || undefined);
}

/** Judgements that stand on a span as events. */
function scoresIn({ events }: Span): RecordedScore[] {
  return events.flatMap(({ name, attributes }) => {
    const score = numberIn(attributes["gen_ai.evaluation.score.value"]);
    if (name !== "gen_ai.evaluation.result" || score === undefined) return [];
    const judge = textIn(attributes["gen_ai.evaluation.name"]) ?? "evaluation";
    return [{ judge, score, rationale: textIn(attributes["gen_ai.evaluation.explanation"]) }];
  });
}

const eventFields = ({ name, attributes, rest }: Span["events"][number]) => ({
  name,
  ...rest,
  ...attributes,
});

/** The work that a span stands for, in whichever of the conventions it was recorded. */
export function workOfSpan(span: Span): Work {
  const attributes = new Attributes(span.attributes);
  const kind = kindOf(attributes, span.events);
  const input = parsedText(firstOwn(attributes, INPUTS));
  const output = parsedText(firstOwn(attributes, OUTPUTS));
  const said =
    kind === "tool"
      ? {}
      : firstSaid([saidInAttributes(attributes, span.events), saidInPayloads(kind, [input, output])]);
  const tool =
    kind === "tool" || kind === "other" ? toolRunOf(attributes, span.name, [input, output]) : undefined;
  const spoken = span.events.filter(isSayingEvent).map(eventFields);
  const others = span.events.filter((event) => !isSayingEvent(event)).map(eventFields);
  return {
    traceId: span.traceId,
    id: span.spanId,
    parentId: span.parentId,
    name: span.name,
    kind,
    start: span.start,
    end: span.end,
    error: span.error,
    agent: agentOf(attributes, kind, span.name),
    model: attributes.text("gen_ai.response.model", "gen_ai.request.model", "llm.model_name", "ai.model.id"),
    said,
    tool,
    usage: kind === "model" ? usageIn((...names) => attributes.number(...names)) : undefined,
    cost: kind === "model" ? costIn((...names) => attributes.number(...names)) : undefined,
    scores: scoresIn(span),
    spoken: {
      attributes: attributes.taken(),
      ...(spoken.length > 0 && { events: spoken }),
    },
    rest: {
      ...span.fields,
      attributes: attributes.rest(),
      ...(others.length > 0 && { events: others }),
      ...present({ resource: isObject(span.resource) ? span.resource : undefined }),
    },
  };
}
