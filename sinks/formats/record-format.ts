import { AtlasError } from "../../errors/atlas-error.ts";
import { lineJson } from "../../traces/line-json.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import type { Features } from "../datasets/features.ts";
import type { LineFormat } from "../datasets/format.ts";

const NOTHING = "nothing-to-write";

/** What may be chosen of a format: the values of each option, the one that counts unless told first. */
export type Choices = Readonly<Record<string, readonly [string, ...string[]]>>;

/** A value for every option. */
export type Chosen<C extends Choices> = { readonly [Name in keyof C]: C[Name][number] };

/** A format of JSON lines that not every session can be written in. */
export interface RecordFormat extends LineFormat {
  /** The options that stand behind its name, as in `trl-messages:arguments=text`. */
  readonly choices: Choices;
  /** The records of a session, or why it has none. Every path has one type over all sessions. */
  records(trace: SessionTrace): readonly object[] | string;
  reasonAgainst(trace: SessionTrace): string;
  readonly about: string;
  readonly features: Features;
  /**
   * The same format with other options; its name says them, so that a dataset can be built again.
   *
   * @param options as they stand behind the name: `arguments=text,reasoning=yes`
   * @throws AtlasError ATLAS_USAGE
   */
  with(options: string): RecordFormat;
}

function chosenIn<C extends Choices>(name: string, choices: C, options: string): Chosen<C> {
  const chosen: Record<string, string> = Object.fromEntries(
    Object.entries(choices).map(([option, [usual]]) => [option, usual]),
  );
  for (const pair of options.split(",").filter((text) => text !== "")) {
    const [option = "", value = ""] = pair.split("=");
    const known = Object.hasOwn(choices, option) ? choices[option] : undefined;
    if (known?.includes(value) === true) {
      chosen[option] = value;
      continue;
    }
    const all = Object.entries(choices).map(([each, values]) => `${each}=${values.join("|")}`);
    throw new AtlasError("ATLAS_USAGE", `${JSON.stringify(pair)} is no option of the format ${name}`, {
      where: "--format",
      hint: all.length === 0 ? "It has none." : `Options: ${all.join(", ")}.`,
    });
  }
  return chosen as Chosen<C>;
}

/** The records of a group, and how many of its sessions are in none, by the reason. */
export interface GroupRecords {
  records: readonly object[];
  without: Readonly<Record<string, number>>;
}

/** What makes a format. */
export interface RecordFormatOf<C extends Choices> {
  name: string;
  /** What a record is, in a sentence. */
  about: string;
  choices: C;
  /** The types of all paths. */
  features: (chosen: Chosen<C>) => Features;
  /** A pure function of a session; a text says why there is none. */
  records: (trace: SessionTrace, chosen: Chosen<C>) => readonly object[] | string;
  /** The same of a group of sessions, where they make records together. */
  groupRecords?: (traces: readonly SessionTrace[], chosen: Chosen<C>) => GroupRecords;
}

/**
 * A format from a name, what may be chosen of it, and pure functions.
 *
 * @example
 * const short = recordFormat({
 *   name: "short",
 *   about: "A record is a task.",
 *   choices: { case: ["upper", "lower"] },
 *   features: () => ({ task: "string" }),
 *   records: ({ started }, chosen) =>
 *     started === null ? "no-task" : [{ task: chosen.case === "upper" ? started.task.toUpperCase() : started.task }],
 * });
 */
export function recordFormat<const C extends Choices>(of: RecordFormatOf<C>): RecordFormat {
  const { name, about, choices, features, records, groupRecords } = of;
  const formatBy = (fullName: string, chosen: Chosen<C>): RecordFormat => ({
    name: fullName,
    extension: "jsonl",
    about,
    choices,
    features: features(chosen),
    records: (trace) => records(trace, chosen),
    encode: (trace) => {
      const found = records(trace, chosen);
      return typeof found === "string" ? [] : found.map(lineJson);
    },
    reasonAgainst: (trace) => {
      const found = records(trace, chosen);
      return typeof found === "string" ? found : NOTHING;
    },
    ...(groupRecords !== undefined && {
      encodeGroup: (traces: readonly SessionTrace[]) => {
        const found = groupRecords(traces, chosen);
        return { lines: found.records.map(lineJson), without: found.without };
      },
    }),
    with: (options) =>
      formatBy(options === "" ? name : `${name}:${options}`, chosenIn(name, choices, options)),
  });
  return formatBy(name, chosenIn(name, choices, ""));
}
