import { AtlasError } from "../../errors/atlas-error.ts";
import { balance } from "./balance.ts";
import type { Check, Fault, Measure, Report } from "./check.ts";
import { controlTokens } from "./control-tokens.ts";
import { empty } from "./empty.ts";
import { leakage } from "./leakage.ts";
import { length } from "./length.ts";
import { nearDuplicates } from "./near-duplicates.ts";
import { parts } from "./parts.ts";
import { ReadDataset } from "./read-dataset.ts";
import { type FindSecrets, secrets } from "./secrets.ts";
import { toolSchemas } from "./tool-schemas.ts";

/** The checks, each with its limit and what is held against it. */
export const CHECKS = {
  leakage: { limit: 0, measures: "tasks and groups in more than one part" },
  "near-duplicates": { limit: 0.01, measures: "share of a part that nearly repeats other records" },
  secrets: { limit: 0, measures: "share with secrets or personal data" },
  "control-tokens": { limit: 0, measures: "share with control tokens in a text" },
  "tool-schemas": { limit: 0, measures: "share with calls that no schema allows" },
  empty: { limit: 0, measures: "share without a question or an answer" },
  length: { limit: 0.05, measures: "share over the longest length" },
  balance: { limit: 0.9, measures: "share of one label, or of no reward" },
  parts: { limit: 5, measures: "records of the smallest part, at least" },
} as const satisfies Record<string, { limit: number; measures: string }>;

/** Name of a check. */
export type CheckName = keyof typeof CHECKS;

/** The names of the checks. */
export const CHECK_NAMES = Object.keys(CHECKS) as CheckName[];

/** Tokens that a record may have unless told. */
export const MAX_LENGTH = 4096;

/** What is expected of a dataset. */
export interface TestOptions {
  /** Limits other than the usual ones. */
  expect?: Partial<Record<CheckName, number>> | undefined;
  /** Checks that are not made. */
  skip?: readonly CheckName[] | undefined;
  /** Tokens of the longest record that passes `length`, estimated as a quarter of its characters; 4096 unless told. */
  maxLength?: number | undefined;
  /** Records that are named for each check; 20 unless told. */
  named?: number | undefined;
  /** Ends it. */
  signal?: AbortSignal | undefined;
  /** Called with the number of records that were read, now and then. */
  onProgress?: ((records: number) => void) | undefined;
}

/** What came of a check. `not-checked` is one that this dataset has nothing to measure for. */
export interface CheckResult {
  name: CheckName;
  status: "holds" | "fails" | "skipped" | "not-checked";
  measures: string;
  value: number | null;
  limit: number;
  /** Records with a fault. */
  found: number;
  /** The first of them, at most 20 unless told. */
  faults: readonly Fault[];
  note: string | null;
}

/** What a dataset is, held against what is expected of it. */
export interface TestedDataset {
  folder: string;
  format: string;
  records: number;
  /** No check fails. */
  passed: boolean;
  maxLength: number;
  checks: CheckResult[];
}

const EVERY = 1000;
const NAMED = 20;

/** A check at work: how many faults it reported, and the first of them. */
class Running {
  readonly check: Check;
  found = 0;
  readonly faults: Fault[] = [];
  readonly report: Report;

  constructor(check: Check, named: number) {
    this.check = check;
    this.report = ({ file, line, session }, why) => {
      this.found += 1;
      if (this.faults.length < named) this.faults.push({ file, line, session, why });
    };
  }
}

function checked(options: TestOptions): void {
  const usage = (what: string): AtlasError =>
    new AtlasError("ATLAS_USAGE", what, { hint: `Checks are ${CHECK_NAMES.join(", ")}.` });
  const names: readonly string[] = [...Object.keys(options.expect ?? {}), ...(options.skip ?? [])];
  for (const name of names)
    if (!Object.hasOwn(CHECKS, name)) throw usage(`there is no check ${JSON.stringify(name)}`);
  for (const [name, limit] of Object.entries(options.expect ?? {}))
    if (!(limit >= 0)) throw usage(`the limit of ${name} is not a number from 0`);
  const { maxLength = MAX_LENGTH } = options;
  if (!Number.isInteger(maxLength) || maxLength < 1)
    throw usage("the longest length is not a whole number from 1");
}

async function resultOf(name: CheckName, limit: number, running: Running | undefined): Promise<CheckResult> {
  const { measures } = CHECKS[name];
  if (running === undefined)
    return { name, status: "skipped", measures, value: null, limit, found: 0, faults: [], note: null };
  const { value, note }: Measure = await running.check.end(running.report);
  const { found, faults } = running;
  const holds = value !== null && (name === "parts" ? value >= limit : value <= limit);
  const status = value === null ? "not-checked" : holds ? "holds" : "fails";
  return { name, status, measures, value, limit, found, faults, note: note ?? null };
}

/**
 * Holds a dataset against what is expected of it. Records are read one after the other.
 *
 * @param place the manifest, or the folder
 * @param find names the secrets of a text
 */
export async function testFiles(
  place: string,
  find: FindSecrets,
  options: TestOptions = {},
): Promise<TestedDataset> {
  checked(options);
  const { expect = {}, skip = [], maxLength = MAX_LENGTH, named = NAMED, signal, onProgress } = options;
  const dataset = await ReadDataset.open(place);
  const limitOf = (name: CheckName): number => expect[name] ?? CHECKS[name].limit;
  const makers: Record<CheckName, () => Check> = {
    leakage,
    "near-duplicates": () => nearDuplicates((record) => dataset.again(record)),
    secrets: () => secrets(find),
    "control-tokens": controlTokens,
    "tool-schemas": toolSchemas,
    empty,
    length: () => length(maxLength),
    balance,
    parts: () => parts(dataset.parts, limitOf("parts")),
  };
  const made = new Map(
    CHECK_NAMES.filter((name) => !skip.includes(name)).map((name) => [
      name,
      new Running(makers[name](), named),
    ]),
  );
  try {
    let records = 0;
    for await (const record of dataset.records()) {
      records += 1;
      for (const { check, report } of made.values()) check.read(record, report);
      if (records % EVERY !== 0) continue;
      signal?.throwIfAborted();
      onProgress?.(records);
    }
    const checks: CheckResult[] = [];
    for (const name of CHECK_NAMES) {
      signal?.throwIfAborted();
      checks.push(await resultOf(name, limitOf(name), made.get(name)));
    }
    const passed = checks.every(({ status }) => status !== "fails");
    return { folder: dataset.folder, format: dataset.manifest.format, records, passed, maxLength, checks };
  } finally {
    await dataset.close();
  }
}
