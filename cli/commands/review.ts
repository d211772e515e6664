import type { DecidedSession } from "../../app/api/reviews.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import type { ReviewHistory } from "../../projections/review-history.ts";
import type { SessionSummary, SummaryFilters } from "../../projections/session-summaries.ts";
import type { ReviewStatus } from "../../schemas/vocabulary.ts";
import { count } from "../count.ts";
import { type Narrowing, nothingMatches } from "../nothing-found.ts";
import { jsonList, print, printJson, style, tell } from "../output.ts";
import { type CommonOptions, interruptSignal } from "../program.ts";
import { clockLine, diffLines, historyLines, outcomeLines } from "../review-history-lines.ts";
import { reviewLines } from "../review-line.ts";
import { READING, withAtlas } from "../session.ts";

interface FilterOptions extends CommonOptions {
  learningKey?: string;
  drift?: "alert" | "ok";
  minReward?: string;
  maxReward?: string;
  simulated?: string;
}

interface ListOptions extends FilterOptions {
  status?: ReviewStatus[];
  limit: string;
  offset: string;
}

interface DecideOptions extends FilterOptions {
  note?: string;
  author?: string;
  all?: boolean;
  status?: ReviewStatus;
}

/** Review statuses, in the order in which they are listed. */
const STATUSES: readonly ReviewStatus[] = ["pending", "quarantined", "approved"];

function reward(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new AtlasError("ATLAS_USAGE", `${JSON.stringify(text)} is not a number`, { where: flag });
}

/** What `--simulated` says. */
export const simulatedOf = (truth: string | undefined): boolean | undefined =>
  truth === undefined ? undefined : truth === "true";

const filtersOf = ({
  learningKey,
  drift,
  minReward,
  maxReward,
  simulated,
}: FilterOptions): SummaryFilters => ({
  learningKey,
  simulated: simulatedOf(simulated),
  driftAlert: drift === undefined ? undefined : drift === "alert",
  minReward: reward(minReward, "--min-reward"),
  maxReward: reward(maxReward, "--max-reward"),
});

const narrowingOf = ({ learningKey, drift, minReward, maxReward }: FilterOptions): Narrowing => ({
  "--learning-key": learningKey,
  "--drift": drift,
  "--min-reward": minReward,
  "--max-reward": maxReward,
});

/** `atlas review list`. */
export async function list(options: ListOptions): Promise<void> {
  const limit = count(options.limit, "--limit", 1);
  const offset = count(options.offset, "--offset", 0);
  const filters = filtersOf(options);
  const signal = interruptSignal();
  const byStatus = await withAtlas(
    options,
    async (atlas) => {
      await atlas.settled({ signal });
      const groups: { status: ReviewStatus; sessions: SessionSummary[]; all: number }[] = [];
      for (const status of options.status ?? STATUSES) {
        const reviewStatusFilters = [status];
        const page = { ...filters, reviewStatusFilters, limit, offset };
        const sessions = await atlas.sessions.list(page);
        const all =
          sessions.length > 0 ? sessions.length : await atlas.sessions.count({ reviewStatusFilters });
        groups.push({ status, sessions, all });
      }
      return groups;
    },
    READING,
  );
  if (options.json === true) {
    printJson(byStatus.flatMap(({ sessions }) => sessions));
    return;
  }
  const narrowing = { ...narrowingOf(options), "--offset": offset === 0 ? undefined : options.offset };
  for (const { status, sessions, all } of byStatus) {
    print(style("bold", `${status} (${sessions.length})`));
    if (sessions.length === 0) print(`  ${nothingMatches(`${status} session`, narrowing, all) ?? "(none)"}`);
    for (const session of sessions) for (const line of reviewLines(session)) print(`  ${line}`);
  }
}

/** More sessions than this are not shown in full. */
const IN_FULL = 20;

/** Says of each session what became of it. */
function tellDecided(sessions: readonly DecidedSession[], inFull: boolean): void {
  for (const session of sessions) {
    print(`Session ${session.id} (${session.sessionId}) is ${session.reviewStatus}.`);
    for (const line of outcomeLines(session)) print(`  ${line}`);
    if (inFull) for (const line of reviewLines(session)) print(`  ${line}`);
  }
}

/** `atlas review approve` and `quarantine`. */
export const decide =
  (decision: "approved" | "quarantined") =>
  async (ids: string[], options: DecideOptions): Promise<void> => {
    if (ids.length === 0 && options.all !== true) {
      throw new AtlasError("ATLAS_USAGE", "name a session, or say --all", {
        hint: `Such as: atlas review ${decision === "approved" ? "approve" : "quarantine"} --all --status pending`,
      });
    }
    if (ids.length > 0 && options.all === true)
      throw new AtlasError("ATLAS_USAGE", "--all and session ids do not go together");
    const signal = interruptSignal();
    const { author, note, status = "pending", json = false } = options;
    const list = jsonList();
    const clocks = new Set<string>();
    let decided = 0;
    const onDecided = (sessions: readonly DecidedSession[]): void => {
      decided += sessions.length;
      for (const { clockOff } of sessions) {
        const line = clockOff === null ? undefined : clockLine(clockOff);
        if (line !== undefined && !clocks.has(line)) tell(`warning: ${line}`);
        if (line !== undefined) clocks.add(line);
      }
      if (json) for (const session of sessions) list.add(session);
      else tellDecided(sessions, options.quiet !== true && decided <= IN_FULL);
    };
    const all = await withAtlas(options, async ({ reviews, sessions }) => {
      const [decideOn, decideAll] =
        decision === "approved"
          ? [reviews.approve, reviews.approveAll]
          : [reviews.quarantine, reviews.quarantineAll];
      const how = { author, note, signal };
      if (options.all !== true) onDecided(await decideOn(ids, how));
      else await decideAll({ ...filtersOf(options), reviewStatusFilters: [status] }, { ...how, onDecided });
      return decided > 0 ? 0 : sessions.count({ reviewStatusFilters: [status] });
    });
    if (json) return list.end();
    if (decided > 1) print(`${decided} sessions ${decision}.`);
    if (decided === 0)
      print(nothingMatches(`${status} session`, narrowingOf(options), all) ?? `No session is ${status}.`);
  };

async function historyOf(id: string, options: CommonOptions): Promise<ReviewHistory> {
  const signal = interruptSignal();
  return withAtlas(
    options,
    async (atlas) => {
      await atlas.settled({ signal });
      return atlas.reviews.history(id);
    },
    READING,
  );
}

/** `atlas review history`. */
export async function history(id: string, options: CommonOptions): Promise<void> {
  const found = await historyOf(id, options);
  if (options.json === true) printJson(found);
  else for (const line of historyLines(found)) print(line);
}

/** `atlas review diff`. */
export async function diff(id: string, options: CommonOptions): Promise<void> {
  const found = await historyOf(id, options);
  const last = found.changes.at(-1);
  if (options.json === true)
    printJson({ sessionId: found.sessionId, status: found.status, change: last ?? null });
  else for (const line of diffLines(found)) print(line);
}
