import { isObject } from "../../traces/clean-text.ts";
import { withoutEmpty } from "../spans/known.ts";
import { parsedText } from "../spans/said.ts";
import { saidInPayloads } from "../spans/said-in.ts";
import { traceConversation } from "../spans/trace-conversation.ts";
import type { Work } from "../spans/work.ts";
import { numberIn, objectIn, textIn, textsIn } from "./fields.ts";
import type { Format, ReadingContext, RecordedConversation, RecordedScore } from "./format.ts";
import { workOfObservation } from "./langfuse-observation.ts";
import { isOwn, type Row, rowIn, type Trace, Traces } from "./langfuse-traces.ts";

/** The score that a row is; categories are none. */
function scoreIn(row: Row): RecordedScore | undefined {
  const score = row.dataType === "CATEGORICAL" ? undefined : numberIn(row.value);
  const judge = textIn(row.name);
  return score === undefined || judge === undefined
    ? undefined
    : { judge, score, rationale: textIn(row.comment) };
}

const withoutScore = ({ comment, ...rest }: Row): Row =>
  scoreIn({ comment, ...rest }) ? rest : { comment, ...rest };

/** A trace as a whole: its own input and output, and what else it holds. */
function workOfTrace({ id, row, scores }: Trace, { timeOf }: ReadingContext): Work {
  const { input, output, tags: _tags, ...fields } = row;
  const payloads: [unknown, unknown] = [parsedText(input), parsedText(output)];
  const own = scores.filter(({ observationId }) => observationId == null);
  return {
    traceId: id,
    id,
    name: textIn(row.name) ?? "",
    kind: "other",
    start: timeOf(row.timestamp, "timestamp"),
    said: saidInPayloads("other", payloads),
    scores: own.flatMap((score) => scoreIn(score) ?? []),
    spoken: { input, output },
    rest: {
      ...fields,
      ...(fields.metadata !== undefined && { metadata: objectIn(fields.metadata) ?? fields.metadata }),
      scores: scores.map(withoutScore).map(withoutEmpty),
    },
  };
}

function conversationOf(trace: Trace, context: ReadingContext): RecordedConversation | undefined {
  const { id, row, observations, scores } = trace;
  const works = [...observations.values()].map((each): Work => {
    const work = workOfObservation(each, id, context);
    const own = scores.filter(({ observationId }) => observationId === work.id);
    return { ...work, scores: own.flatMap((score) => scoreIn(score) ?? []) };
  });
  const whole = workOfTrace(trace, context);
  const conversation = traceConversation(works, context, { trace: whole, called: "observations" });
  if (conversation === undefined) return undefined;
  const inOrder = [...observations.values()].toSorted((a, b) => (String(a.id) < String(b.id) ? -1 : 1));
  return {
    ...conversation,
    tags: row.tags === undefined ? undefined : (textsIn(row.tags) ?? []),
    content: {
      trace: id,
      input: row.input,
      output: row.output,
      observations: inOrder.map(({ id: own, type, name, input, output }) => ({
        id: own,
        type,
        name,
        input,
        output,
      })),
    },
  };
}

/** Traces of Langfuse: as it exports them, as its API gives them, and tables of observations. */
export const langfuse: Format = {
  name: "langfuse",
  translation: 1,
  about: "traces of Langfuse with their observations, and tables of traces or observations",
  recognizes: (value) => {
    if (!isObject(value)) return false;
    if (isObject(value.trace) && Array.isArray(value.observations)) return true;
    if (Array.isArray(value.data)) return value.data.some((each) => isObject(each) && isOwn(rowIn(each)));
    return isOwn(rowIn(value));
  },
  // Observations of a trace stand in rows of their own.
  partOf: () => "traces",
  read(values, context) {
    const traces = new Traces();
    traces.add(values);
    const found = [...traces.all.values()].flatMap((trace) => conversationOf(trace, context) ?? []);
    const silent = traces.all.size - found.length;
    if (found.length === 0)
      return `none of its traces (${silent}) tells what a model was sent and answered: no input, no output`;
    if (silent > 0)
      context.note(`traces without what a model was sent and answered: ${silent} of ${traces.all.size}`);
    return found;
  },
};
