import type { RowProblem, RowText } from "../files/row-text.ts";
import type { Archive, ArchivedFile } from "../files/zip-archive.ts";
import { archivedObject, archivedText } from "./archived-text.ts";
import { chunkedSample } from "./eval-chunks.ts";
import { type FilePart, onlyProblem } from "./file-part.ts";

/** What a log says when it is begun, and when it has ended; the first logs wrote their end in a file of its own. */
const STARTS = ["_journal/start.json", "start.json"];
const ENDS = ["results.json", "header.json"];
const SAMPLE = /^samples\/[^/]+\.json$/;
/** A sample in many files, as logs of version 3 have it. */
const CHUNKED = /^(samples\/[^/]+)\/sample\.json$/;

const NO_SAMPLES = "the log has no samples: it was written without them, or before one had ended";

/** Whether an archive is a log of Inspect. */
export const isEvalLog = ({ files }: Archive): boolean =>
  files.some(({ name }) => name === "header.json" || STARTS.includes(name));

/** A sample as a log of its own: what holds for all samples stands beside it. */
const asLog = (sample: string, header: string): string =>
  `{"samples":[${sample}]${header === "{}" ? "}" : `,${header.slice(1)}`}`;

async function* rowsOf(
  sample: Promise<{ text: string } | { reason: string }>,
  header: string,
): AsyncGenerator<RowText | RowProblem> {
  const read = await sample;
  yield { line: 1, ...("text" in read ? { text: asLog(read.text, header) } : read) };
}

/** Reads what holds for all samples. What cannot be read is a problem of its own, and costs no sample. */
async function readHeader(path: string, files: readonly ArchivedFile[]) {
  const header: Record<string, unknown> = {};
  const problems: FilePart[] = [];
  for (const name of [...STARTS, ...ENDS]) {
    const file = files.find((each) => each.name === name);
    if (file === undefined) continue;
    const found = await archivedObject(file);
    if ("reason" in found) problems.push(onlyProblem(`${path}!${name}`, found.reason));
    else Object.assign(header, found.value);
  }
  delete header.samples;
  return { header: JSON.stringify(header), problems };
}

/** The samples of a log of Inspect, each as a log of its own: one is in memory at a time. */
export async function* evalParts(path: string, { files }: Archive): AsyncGenerator<FilePart> {
  const { header, problems } = await readHeader(path, files);
  yield* problems;
  let samples = 0;
  for (const file of files) {
    const chunks = CHUNKED.exec(file.name)?.[1];
    if (chunks === undefined && !SAMPLE.test(file.name)) continue;
    samples += 1;
    const sample = chunks === undefined ? archivedText(file) : chunkedSample(chunks, files);
    yield { file: `${path}!${file.name}`, rows: rowsOf(sample, header), log: path };
  }
  if (samples === 0) yield onlyProblem(path, NO_SAMPLES);
}
