import type { Atlas } from "../app/open-atlas.ts";
import type { Grouping } from "../derivation/reports/groupings.ts";
import { sinceOf } from "../derivation/reports/since.ts";
import { nowMicros } from "../schemas/identity.ts";
import { leftOutLine } from "./dataset-flags.ts";
import { nothingMatches } from "./nothing-found.ts";
import { type Column, print, printJson } from "./output.ts";
import { type CommonOptions, interruptSignal } from "./program.ts";
import { READING, withAtlas } from "./session.ts";

/** Options of both reports. */
export interface ReportFlags extends CommonOptions {
  by?: Grouping;
  since?: string;
  learningKey?: string;
  branch?: string;
  includeSimulated?: boolean;
}

interface Report {
  sessions: number;
  simulatedLeftOut: number;
  groups: readonly unknown[];
}

/** A kind of report, and what its sessions are called where there are none. */
interface ReportKind<R extends Report> {
  ask(atlas: Atlas, options: Parameters<Atlas["drift"]["report"]>[0]): Promise<R>;
  thing: string;
  none: string;
}

/** Says what a report leaves out. */
export function tellLeftOut(simulated: number): void {
  const line = leftOutLine(simulated);
  if (line !== undefined) print(line);
}

/** A report's column of simulated sessions: only where there are any. */
export const simulatedColumn = <T extends { simulated: number }>(groups: readonly T[]): Column<T>[] =>
  groups.some(({ simulated }) => simulated > 0)
    ? [
        {
          title: "Simulated",
          value: ({ simulated }) => String(simulated),
          align: "right",
          look: () => "yellow",
        },
      ]
    : [];

/** Asks for a report; undefined where it was printed as JSON, or where it was said that there is nothing to show. */
export async function reportToShow<R extends Report>(
  options: ReportFlags,
  { ask, thing, none }: ReportKind<R>,
): Promise<R | undefined> {
  const signal = interruptSignal();
  const since = options.since === undefined ? undefined : sinceOf(options.since, nowMicros());
  const { by, learningKey, branch, includeSimulated } = options;
  const { found, all } = await withAtlas(
    options,
    async (atlas) => {
      await atlas.settled({ signal });
      const found = await ask(atlas, { by, since, learningKey, branch, includeSimulated });
      return found.sessions > 0
        ? { found, all: found.sessions }
        : { found, all: (await ask(atlas, { includeSimulated })).sessions };
    },
    READING,
  );
  if (options.json === true) {
    printJson(found);
    return undefined;
  }
  if (found.groups.length > 0) return found;
  const narrowing =
    found.sessions > 0
      ? { "--by": by }
      : { "--since": options.since, "--learning-key": learningKey, "--branch": branch };
  print(nothingMatches(thing, narrowing, all) ?? none);
  tellLeftOut(found.simulatedLeftOut);
  return undefined;
}
