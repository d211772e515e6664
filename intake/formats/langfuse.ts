import { isObject } from "../../traces/clean-text.ts";
import { withoutEmpty } from "../spans/known.ts";
import { parsedText } from "../spans/said.ts";
import { traceConversation } from "../spans/trace-conversation.ts";
import type { Work } from "../spans/work.ts";
import { saidInPayloads } from "../spans/work-of-span.ts";
import { listIn, numberIn, objectIn, textIn, textsIn } from "./fields.ts";
import type { Format, ReadingContext, RecordedConversation, RecordedScore } from "./format.ts";
import { camelCased, workOfObservation } from "./langfuse-observation.ts";

type Row = Record<string, unknown>;

const TYPES = /^(GENERATION|SPAN|EVENT|AGENT|TOOL|CHAIN|RETRIEVER|EVALUATOR|EMBEDDING|GUARDRAIL)$/i;

const rowIn = (value: Row): Row => ("trace_id" in value || "project_id" in value ? camelCased(value) : value);

const isObservation = (row: Row): boolean =>
  textIn(row.traceId) !== undefined &&
  typeof row.type === "string" &&
  TYPES.test(row.type) &&
  row.startTime !== undefined &&
  row.attributes === undefined;

/** Fields that rows of traces have, and rows of others do not all have. */
const OF_TRACES = [
  "timestamp",
  "sessionId",
  "userId",
  "release",
  "public",
  "bookmarked",
  "htmlPath",
  "projectId",
];

const isTrace = (row: Row): boolean =>
  textIn(row.id) !== undefined &&
  row.traceId === undefined &&
  (Array.isArray(row.observations) || ("input" in row && "output" in row)) &&
  OF_TRACES.filter((name) => name in row).length >= 3;

const isScore = (row: Row): boolean =>
  textIn(row.traceId) !== undefined &&
  row.name !== undefined &&
  row.value !== undefined &&
  row.type === undefined;

/** What is known of a trace from all rows of a file. */
interface Trace {
  id: string;
  row: Row;
  observations: Map<string, Row>;
  scores: Row[];
}

/** A later row adds what it knows to an earlier one of the same id. */
function merged(before: Row | undefined, row: Row): Row {
  const known = Object.entries(row).filter(([, value]) => value !== null && value !== "{}");
  return before === undefined ? row : { ...before, ...Object.fromEntries(known) };
}

class Traces {
  readonly all = new Map<string, Trace>();

  #of(id: string): Trace {
    const trace = this.all.get(id) ?? { id, row: {}, observations: new Map(), scores: [] };
    this.all.set(id, trace);
    return trace;
  }

  /** Takes what a value of a file is: a trace with all of its own, one row, or a page of rows. */
  add(value: unknown): void {
    if (Array.isArray(value)) for (const each of value as unknown[]) this.add(each);
    if (!isObject(value)) return;
    if (isObject(value.trace)) {
      const { trace, observations, scores, ...rest } = value;
      const { id } = value.trace;
      this.add({ ...(trace as Row), ...rest });
      for (const each of listIn(observations) ?? [])
        if (isObject(each)) this.#addObservation(String(each.traceId ?? id), rowIn(each));
      this.#addScores(String(id), scores);
      return;
    }
    if (Array.isArray(value.data)) {
      this.add(value.data);
      return;
    }
    const row = rowIn(value);
    if (isObservation(row)) this.#addObservation(String(row.traceId), row);
    else if (isScore(row)) this.#of(String(row.traceId)).scores.push(row);
    else this.#addTrace(row);
  }

  #addTrace({ observations, scores, ...row }: Row): void {
    const id = String(row.id ?? row.traceId);
    const trace = this.#of(id);
    trace.row = merged(trace.row, row);
    for (const each of listIn(observations) ?? []) if (isObject(each)) this.#addObservation(id, rowIn(each));
    this.#addScores(id, scores);
  }

  #addObservation(traceId: string, row: Row): void {
    const { observations } = this.#of(traceId);
    const id = String(row.id);
    observations.set(id, merged(observations.get(id), row));
  }

  /** Scores as rows, or their values by name as tables are exported. */
  #addScores(traceId: string, value: unknown): void {
    const given = parsedText(value);
    const { scores } = this.#of(traceId);
    if (Array.isArray(given)) {
      const known = new Set(scores.map(({ id }) => id).filter((id) => id !== undefined));
      for (const each of given as unknown[]) {
        const row = isObject(each) ? each : { value: each };
        if (row.id === undefined || !known.has(row.id)) scores.push(row);
      }
    } else if (isObject(given)) {
      for (const [name, values] of Object.entries(given))
        for (const each of Array.isArray(values) ? (values as unknown[]) : [values])
          scores.push({ name, value: each });
    }
  }
}

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

const isOwn = (row: Row): boolean => isObservation(row) || isTrace(row);
