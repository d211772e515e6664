import { Argument, type Command, Option } from "commander";
import { decisionsOn } from "../../app/decide-review.ts";
import type { Atlas } from "../../app/open-atlas.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import { resolveSessionId } from "../../projections/resolve-session-id.ts";
import { listSessions, type SessionSummary } from "../../projections/session-summaries.ts";
import type { ReviewStatus } from "../../schemas/vocabulary.ts";
import { print, printJson, style } from "../output.ts";
import { type CommonOptions, interruptSignal, withCommonOptions } from "../program.ts";
import { reviewLines } from "../review-line.ts";
import { withAtlas } from "../session.ts";

interface ListOptions extends CommonOptions {
  status?: ReviewStatus[];
  limit: string;
  offset: string;
  learningKey?: string;
}

interface DecideOptions extends CommonOptions {
  note?: string;
  author?: string;
  all?: boolean;
  status?: ReviewStatus;
  learningKey?: string;
}

const STATUSES: readonly ReviewStatus[] = ["pending", "quarantined", "approved"];

/** A whole number of a flag. */
export function count(text: string, flag: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new AtlasError("ATLAS_USAGE", `${JSON.stringify(text)} is not a whole number from ${least}`, {
    where: flag,
  });
}

async function list(options: ListOptions): Promise<void> {
  const limit = count(options.limit, "--limit", 1);
  const offset = count(options.offset, "--offset", 0);
  const signal = interruptSignal();
  const byStatus = await withAtlas(options, async (atlas) => {
    await atlas.settled({ signal });
    const groups: { status: ReviewStatus; sessions: SessionSummary[] }[] = [];
    for (const status of options.status ?? STATUSES) {
      const filters = { reviewStatusFilters: [status], limit, offset, learningKey: options.learningKey };
      groups.push({ status, sessions: await listSessions(atlas.db, filters) });
    }
    return groups;
  });
  if (options.json === true) {
    printJson(byStatus.flatMap(({ sessions }) => sessions));
    return;
  }
  for (const { status, sessions } of byStatus) {
    print(style("bold", `${status} (${sessions.length})`));
    if (sessions.length === 0) print("  (none)");
    for (const session of sessions) for (const line of reviewLines(session)) print(`  ${line}`);
  }
}

async function chosen(
  atlas: Atlas,
  ids: readonly string[],
  options: DecideOptions,
): Promise<SessionSummary[]> {
  if (options.all === true) {
    const filters = {
      reviewStatusFilters: [options.status ?? "pending"],
      learningKey: options.learningKey,
      limit: null,
    };
    return listSessions(atlas.db, filters);
  }
  const sessionIds: string[] = [];
  for (const id of ids) sessionIds.push(await resolveSessionId(atlas.db, id));
  return listSessions(atlas.db, { sessionIds: [...new Set(sessionIds)], limit: null });
}

const decide =
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
    const { author, note } = options;
    const sessions = await withAtlas(options, async (atlas) => {
      await atlas.settled({ signal });
      const before = await chosen(atlas, ids, options);
      await atlas.log.append(decisionsOn(before, decision, { author, note }));
      await atlas.settled({ signal });
      if (before.length === 0) return [];
      return listSessions(atlas.db, { sessionIds: before.map(({ sessionId }) => sessionId), limit: null });
    });
    if (options.json === true) {
      printJson(sessions);
      return;
    }
    for (const session of sessions) {
      print(`Session ${session.id} (${session.sessionId}) is ${session.reviewStatus}.`);
      if (options.quiet !== true && sessions.length <= 20)
        for (const line of reviewLines(session)) print(`  ${line}`);
    }
    if (sessions.length === 0) print(`No session is ${options.status ?? "pending"}.`);
    else if (sessions.length > 1) print(`${sessions.length} sessions ${decision}.`);
  };

const status = (): Argument => new Argument("[id...]", "UUID, an unambiguous prefix of it, or the integer");

function decideCommand(
  review: Command,
  name: string,
  decision: "approved" | "quarantined",
  what: string,
): void {
  withCommonOptions(review.command(name).addArgument(status()))
    .description(what)
    .option("--note <text>", "why; kept with the decision")
    .option("--author <name>", "who decides, instead of ATLAS_REVIEWER or the user of the system")
    .option("--all", "every session with the status of --status")
    .addOption(new Option("--status <status>", "with --all").choices([...STATUSES]).default("pending"))
    .option("--learning-key <key>", "with --all: of this learning key only")
    .action(decide(decision));
}

/** `atlas review` and `arc-atlas review`. */
export function reviewCommand(program: Command): void {
  const review = program.command("review").description("decide which sessions may be trained on");
  withCommonOptions(review.command("list").alias("sessions"))
    .description("sessions by review status, with drift and reward")
    .addOption(new Option("--status <status...>", "only these").choices([...STATUSES]))
    .option("--limit <n>", "most sessions of each status", "20")
    .option("--offset <n>", "skip the newest n of each status", "0")
    .option("--learning-key <key>", "only of this learning key")
    .action(list);
  decideCommand(review, "approve", "approved", "let sessions into training sets");
  decideCommand(review, "quarantine", "quarantined", "keep sessions out of training sets");
}
