import { lineJson } from "../../traces/line-json.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import type { LineFormat } from "../datasets/format.ts";

const NOTHING = "nothing-to-write";

/** A format of JSON lines that not every session can be written in. */
export interface RecordFormat extends LineFormat {
  /** The records of a session, or why it has none. Every path has one type over all sessions. */
  records(trace: SessionTrace): readonly object[] | string;
  reasonAgainst(trace: SessionTrace): string;
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
  reasonAgainst: (trace) => {
    const found = records(trace);
    return typeof found === "string" ? found : NOTHING;
  },
});
