import { lineJson } from "../../traces/line-json.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import type { LineFormat } from "../datasets/format.ts";

/** A format of JSON lines that not every session can be written in. */
export interface RecordFormat extends LineFormat {
  /** The records of a session, or why it has none. Every path has one type over all sessions. */
  records(trace: SessionTrace): readonly object[] | string;
}

/** A format from a name and a pure function. */
export const recordFormat = (
  name: string,
  records: (trace: SessionTrace) => readonly object[] | string,
): RecordFormat => ({
  name,
  extension: "jsonl",
  records,
  encode: (trace) => {
    const found = records(trace);
    return typeof found === "string" ? [] : found.map(lineJson);
  },
});

/** Why a format has nothing of a session; undefined for one that says nothing about it. */
export function reasonAgainst(format: LineFormat, trace: SessionTrace): string {
  const found = "records" in format ? (format as RecordFormat).records(trace) : undefined;
  return typeof found === "string" ? found : "nothing-to-write";
}
