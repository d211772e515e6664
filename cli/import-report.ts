import type { ImportSummary, SeenFormat } from "../intake/import/intake.ts";
import type { RecordedProblem } from "../intake/import/read-recordings.ts";
import type { ImportFlags } from "./import-flags.ts";
import { print, printJson, table, tell } from "./output.ts";
import { ATLAS } from "./program-name.ts";

/** Named problems beyond this many are only counted. */
const SHOWN = 20;

/** One line for all places of a file that have the same fault. */
function* linesOf(problems: readonly RecordedProblem[]): Generator<string> {
  const places = Map.groupBy(problems, ({ file, reason }) => `${file}\0${reason}`);
  for (const [first, ...others] of places.values()) {
    const { file, line, reason } = first!;
    yield `${file}:${line}: ${reason}${others.length === 0 ? "" : `, and ${others.length} more like it`}`;
  }
}

function tellAll(problems: readonly RecordedProblem[], total = problems.length): void {
  const lines = [...linesOf(problems)];
  for (const line of lines.slice(0, SHOWN)) tell(line);
  if (lines.length > SHOWN) tell(`… and ${lines.length - SHOWN} more kinds`);
  if (total > problems.length) tell(`… and ${total - problems.length} more`);
}

const share = (some: number, { conversations }: SeenFormat): string =>
  some === conversations ? "all" : some === 0 ? "none" : String(some);

function printSeen(seen: readonly SeenFormat[]): void {
  if (seen.length === 0) return;
  const columns = [
    { title: "FILE", value: ({ file }: SeenFormat) => file },
    { title: "FORMAT", value: ({ format }: SeenFormat) => format },
    { title: "SESSIONS", value: ({ conversations }: SeenFormat) => String(conversations) },
    { title: "MESSAGES", value: ({ messages }: SeenFormat) => String(messages) },
    { title: "TOOL CALLS", value: ({ toolCalls }: SeenFormat) => String(toolCalls) },
    { title: "REWARD", value: (each: SeenFormat) => share(each.rewarded, each) },
    { title: "TOOLS", value: (each: SeenFormat) => share(each.withTools, each) },
    { title: "GROUP", value: (each: SeenFormat) => share(each.grouped, each) },
  ];
  for (const line of table(seen, columns)) print(line);
}

/** Says what an import did, or would do. */
export function reportImport(summary: ImportSummary, { json, quiet, dryRun }: ImportFlags): void {
  tellAll(summary.problems, summary.malformed);
  if (quiet !== true) tellAll(summary.warnings);
  if (json === true) {
    printJson(summary);
    return;
  }
  const { sessions, events, skippedSessions, otherTranslations, malformed } = summary;
  const held = skippedSessions === 0 ? "" : `, ${skippedSessions} were there already`;
  const bad = malformed === 0 ? "" : `, ${malformed} malformed`;
  if (dryRun === true) {
    printSeen(summary.seen);
    print(`Would import ${sessions} sessions (${events} events)${held}${bad}. Nothing was imported.`);
    return;
  }
  print(`Imported ${sessions} sessions (${events} events)${held}${bad}.`);
  if (otherTranslations > 0 && quiet !== true)
    tell(
      `Sessions that an earlier version of their format had imported: ${otherTranslations}. They were left as they are; --again imports them anew, beside the old ones.`,
    );
  if (summary.superseding > 0 && quiet !== true)
    tell(
      `Sessions that came in beside an earlier translation of the same recording: ${summary.superseding}. Approve one of the two: what is approved is exported.`,
    );
  if (quiet !== true && sessions > 0)
    print(
      `Next: ${ATLAS} sessions list · ${ATLAS} review approve --all --status pending · ${ATLAS} export --output traces.jsonl`,
    );
}
