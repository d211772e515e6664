import { isObject } from "../../traces/clean-text.ts";
import { spanIn } from "../spans/span-in.ts";
import { isSpan } from "../spans/spans-in.ts";
import { numberIn, textIn } from "./fields.ts";
import type { Format, ReadingContext, RecordedScore } from "./format.ts";
import { conversationsOfSpans } from "./otel.ts";

type Row = Record<string, unknown>;

/** Fields by which exports of Phoenix differ from spans of others. */
const isRow = (value: unknown): value is Row =>
  isSpan(value) &&
  ("span_kind" in value || "context.trace_id" in value || "annotations" in value || "status_code" in value) &&
  value.spanContext === undefined;

/** A table that was written by its columns: each an object or a list of values. */
function rowsOfColumns(value: unknown): Row[] | undefined {
  if (!isObject(value)) return undefined;
  const ids = value["context.span_id"];
  if (typeof ids !== "object" || ids === null) return undefined;
  return Object.keys(ids).map((place) =>
    Object.fromEntries(
      Object.entries(value).map(([name, column]) => [
        name,
        isObject(column) || Array.isArray(column) ? (column as Row)[place] : column,
      ]),
    ),
  );
}

/** What an annotation says; a label alone is no score. */
function scoreIn(name: unknown, value: Row): RecordedScore | undefined {
  const result = isObject(value.result) ? value.result : value;
  const score = numberIn(result.score);
  const judge = textIn(name);
  return score === undefined || judge === undefined
    ? undefined
    : { judge, score, rationale: textIn(result.explanation) };
}

/** Annotations of a span: in a list, by their names, or as columns of evaluations. */
function scoresOf(row: Row): RecordedScore[] {
  const { annotations } = row;
  const listed = Array.isArray(annotations) ? (annotations as unknown[]).filter(isObject) : [];
  const named = isObject(annotations) ? Object.entries(annotations) : [];
  const columns = new Map<string, Row>();
  for (const [field, value] of Object.entries(row)) {
    const [, name, what] = /^(?:eval|annotations?)\.(.+)\.(score|label|explanation)$/.exec(field) ?? [];
    if (name !== undefined) columns.set(name, { ...columns.get(name), [what!]: value });
  }
  return [
    ...listed.map((each) => scoreIn(each.name ?? each.annotation_name, each)),
    ...named.map(([name, each]) => (isObject(each) ? scoreIn(name, each) : undefined)),
    ...[...columns].map(([name, each]) => scoreIn(name, each)),
  ].filter((score) => score !== undefined);
}

const rowsIn = (value: unknown): Row[] => {
  if (isObject(value) && Array.isArray(value.data)) return (value.data as unknown[]).flatMap(rowsIn);
  if (isObject(value) && Array.isArray(value.spans)) return (value.spans as unknown[]).flatMap(rowsIn);
  return rowsOfColumns(value) ?? (isObject(value) ? [value] : []);
};

function read(values: readonly unknown[], context: ReadingContext) {
  const rows = values.flatMap(rowsIn);
  const scores = new Map<string, RecordedScore[]>();
  const spans = rows.flatMap((row) => {
    const span = spanIn(row, context);
    if (span === undefined) return [];
    scores.set(span.spanId, scoresOf(row));
    return [span];
  });
  return conversationsOfSpans(spans, context, scores);
}

/** Spans of Arize Phoenix, from its API or as a table of its client. */
export const phoenix: Format = {
  name: "phoenix",
  translation: 1,
  about: "spans of Arize Phoenix: pages of its API, and tables of spans with their annotations",
  recognizes: (value) =>
    isRow(value) ||
    (isObject(value) &&
      ([value.data, value.spans].some(
        (list) => Array.isArray(list) && list.length > 0 && list.every(isRow),
      ) ||
        rowsOfColumns(value) !== undefined)),
  // A trace's spans are anywhere in a file.
  partOf: () => "spans",
  read,
};
