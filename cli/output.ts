import { harmless, rendered, type Style, style } from "./terminal-text.ts";

export { harmless, style };

/** Whether people look at this stream, rather than a program. */
export const isTerminal = (): boolean => process.stdout.isTTY === true;

/** Whether a stream shows colours, and is not asked to do without. */
const hasColours = (stream: NodeJS.WriteStream): boolean =>
  stream.isTTY === true && (process.env.NO_COLOR ?? "") === "" && process.env.TERM !== "dumb";

/** Everything that a command writes goes through here; what is said on standard error is read by people also in a log. */
function put(stream: NodeJS.WriteStream, text: string): void {
  const people = stream.isTTY === true || stream === process.stderr;
  stream.write(rendered(text, { people, colours: hasColours(stream) }));
}

const write = (stream: NodeJS.WriteStream, line: string): void => put(stream, `${line}\n`);

/** Where commander writes its help and its errors. */
export const COMMANDER_OUTPUT = {
  writeOut: (text: string): void => put(process.stdout, text),
  writeErr: (text: string): void => put(process.stderr, text),
};

/** One line of text, cut to a width with an ellipsis. */
export function oneLine(text: string, width: number): string {
  const flat = harmless(text.replace(/\s+/g, " ").trim());
  return flat.length <= width ? flat : `${flat.slice(0, Math.max(0, width - 1))}…`;
}

/** Prints a line to standard output. */
export const print = (line = ""): void => write(process.stdout, line);

/** Prints JSON to standard output. */
export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));

/** Prints a list as {@link printJson} would, item after item: it never is in memory as a whole. */
export function jsonList(): { add(item: unknown): void; end(): void } {
  let previous: string | undefined;
  return {
    add(item) {
      print(previous === undefined ? "[" : `${previous},`);
      previous = JSON.stringify(item, null, 2).replace(/^/gm, "  ");
    },
    end: () => print(previous === undefined ? "[]" : `${previous}\n]`),
  };
}

/** Tells people something on standard error. */
export const tell = (line: string): void => write(process.stderr, line);

/** A column of a table. */
export interface Column<Row> {
  title: string;
  value: (row: Row) => string;
  align?: "right";
  look?: (row: Row) => Style | undefined;
}

/**
 * Lines of a table with aligned columns.
 *
 * @example
 * for (const line of table(rows, [{ title: "ID", value: (row) => row.id }])) print(line);
 */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string[] {
  const cells = rows.map((row) => columns.map((column) => harmless(column.value(row))));
  const widths = columns.map((column, index) =>
    cells.reduce((widest, row) => Math.max(widest, row[index]!.length), column.title.length),
  );
  const pad = (text: string, index: number): string =>
    columns[index]!.align === "right" ? text.padStart(widths[index]!) : text.padEnd(widths[index]!);
  const line = (texts: readonly string[]): string => texts.join("  ").trimEnd();
  return [
    style("bold", line(columns.map((column, index) => pad(column.title, index)))),
    ...cells.map((row, at) =>
      line(
        row.map((text, index) => {
          const look = columns[index]!.look?.(rows[at]!);
          return look === undefined ? pad(text, index) : style(look, pad(text, index));
        }),
      ),
    ),
  ];
}

/** Progress of long work: one line that is rewritten on a terminal, nothing in a pipe. */
export interface Progress {
  update(text: string): void;
  done(): void;
}

/** Starts a progress line on standard error. */
export function startProgress(quiet = false): Progress {
  const shown = !quiet && process.stderr.isTTY === true && process.env.TERM !== "dumb";
  let last = Number.NEGATIVE_INFINITY;
  return {
    update: (text) => {
      if (!shown || performance.now() - last < 80) return;
      last = performance.now();
      process.stderr.write(`\r\u001b[2K${oneLine(text, (process.stderr.columns ?? 80) - 1)}`);
    },
    done: () => {
      if (shown && last > 0) process.stderr.write("\r\u001b[2K");
    },
  };
}
