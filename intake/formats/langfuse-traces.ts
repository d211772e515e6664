import { isObject } from "../../traces/clean-text.ts";
import { parsedText } from "../spans/said.ts";
import { listIn, textIn } from "./fields.ts";
import { camelCased } from "./langfuse-observation.ts";

/** A row of a table, or an object of the API. */
export type Row = Record<string, unknown>;

const TYPES = /^(GENERATION|SPAN|EVENT|AGENT|TOOL|CHAIN|RETRIEVER|EVALUATOR|EMBEDDING|GUARDRAIL)$/i;

/** A row with its names in camel case. */
export const rowIn = (value: Row): Row =>
  "trace_id" in value || "project_id" in value ? camelCased(value) : value;

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
export interface Trace {
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

/** The traces of a file. */
export class Traces {
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

/** Whether a row is a trace or an observation of one. */
export const isOwn = (row: Row): boolean => isObservation(row) || isTrace(row);
