import type { RowProblem, RowText } from "../files/row-text.ts";

/** What is read as one file: a file, or one that an archive holds. */
export interface FilePart {
  file: string;
  rows: AsyncIterable<RowText | RowProblem> | Iterable<RowText | RowProblem>;
  /** The archive, where its files are one log: it is what notes and counts name, as they are the same for each file. */
  log?: string | undefined;
  /** Something to say about it as a whole. */
  note?: string | undefined;
}

/** A file of which there is nothing but a problem to tell. */
export const onlyProblem = (file: string, reason: string): FilePart => ({
  file,
  rows: [{ line: 1, reason }],
});
