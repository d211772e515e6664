import type { ByteWindow } from "./byte-window.ts";
import type { RowProblem, RowText } from "./row-text.ts";
import { lineRows } from "./split-lines.ts";

/** The first fields of an event stream, as servers send them. */
const FIELD = /^(?:data|event|id|retry)?:/;
const DONE = "[DONE]";

/** How a stream begins, which nothing else does that can be imported. */
const FIRST_LINE = /^(?:data: ?[[{]|event: ?\S|:)/;

/** Whether the first line of a file is one of an event stream. */
export const isEventLine = (line: Buffer): boolean => FIRST_LINE.test(line.toString("latin1"));

/**
 * Rows of a recorded event stream (`text/event-stream`): what the `data` of each event holds. Lines without data, and
 * the mark at the end of OpenAI's streams, are none.
 */
export async function* eventRows(
  window: ByteWindow,
  from: number,
  firstLine: number,
  limit: number,
): AsyncGenerator<RowText | RowProblem> {
  // An event whose first line of data is no whole value yet, and the line up to which it goes.
  let event: RowText | undefined;
  let lastLine = 0;
  for await (const row of lineRows(window, from, firstLine, limit)) {
    const line = "text" in row ? row.text.trimEnd() : "";
    const text = line.startsWith("data:") ? line.slice(5).trimStart() : undefined;
    if (event !== undefined && (text === undefined || row.line !== lastLine + 1)) {
      yield event;
      event = undefined;
    }
    if ("reason" in row) yield row;
    else if (text === undefined) {
      if (!FIELD.test(line)) yield { line: row.line, reason: "it is no line of an event stream" };
    } else if (text !== DONE && text !== "") {
      const joined: RowText =
        event === undefined ? { line: row.line, text } : { line: event.line, text: `${event.text}\n${text}` };
      event = isWhole(joined.text) ? undefined : joined;
      if (event === undefined) yield joined;
    }
    lastLine = row.line;
  }
  if (event !== undefined) yield event;
}

function isWhole(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
