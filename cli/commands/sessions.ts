import { type Command, Option } from "commander";
import { AtlasError } from "../../errors/atlas-error.ts";
import { resolveSessionId } from "../../projections/resolve-session-id.ts";
import { listSessions, type SessionSummary } from "../../projections/session-summaries.ts";
import { streamTraces } from "../../projections/training-data.ts";
import { REVIEW_STATUSES } from "../../schemas/vocabulary.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import { oneLine, print, printJson, table } from "../output.ts";
import { type CommonOptions, interruptSignal, withCommonOptions } from "../program.ts";
import { withAtlas } from "../session.ts";
import { sessionTree } from "../session-tree.ts";
import { count } from "./review.ts";

interface ListOptions extends CommonOptions {
  limit: string;
  offset: string;
  status?: string[];
  reviewStatus?: string[];
  learningKey?: string;
}

async function list(options: ListOptions): Promise<void> {
  const limit = count(options.limit, "--limit", 1);
  const offset = count(options.offset, "--offset", 0);
  const signal = interruptSignal();
  const sessions = await withAtlas(options, async (atlas) => {
    await atlas.settled({ signal });
    return listSessions(atlas.db, {
      limit,
      offset,
      statusFilters: options.status,
      reviewStatusFilters: options.reviewStatus,
      learningKey: options.learningKey,
    });
  });
  if (options.json === true) {
    printJson(sessions);
    return;
  }
  if (sessions.length === 0) {
    print("No sessions yet. Try `atlas quickstart` or `atlas import FILE`.");
    return;
  }
  const lines = table<SessionSummary>(sessions, [
    { title: "ID", value: ({ id }) => String(id), align: "right" },
    { title: "Session", value: ({ sessionId }) => sessionId },
    { title: "Created", value: ({ createdAt }) => createdAt.slice(0, 19).replace("T", " ") },
    {
      title: "Status",
      value: ({ status }) => status,
      look: ({ status }) => (status === "succeeded" ? "green" : status === "failed" ? "red" : "yellow"),
    },
    { title: "Reward", value: ({ reward }) => reward?.toFixed(2) ?? "–", align: "right" },
    { title: "Drift", value: ({ driftAlert }) => (driftAlert ? "ALERT" : ""), look: () => "red" },
    { title: "Review", value: ({ reviewStatus }) => reviewStatus },
    {
      title: "",
      value: ({ simulated, incomplete }) =>
        [simulated ? "simulated" : "", incomplete ? "incomplete" : ""].join(" ").trim(),
    },
    { title: "Task", value: ({ task }) => oneLine(task, 48) },
  ]);
  for (const line of lines) print(line);
}

async function show(id: string, options: CommonOptions): Promise<void> {
  const signal = interruptSignal();
  const trace = await withAtlas(options, async (atlas) => {
    await atlas.settled({ signal });
    const sessionId = await resolveSessionId(atlas.db, id);
    for await (const found of streamTraces(atlas.db, { sessionIds: [sessionId], reviewStatusFilters: "all" }))
      return found;
    throw new AtlasError("ATLAS_SESSION_NOT_FOUND", `no session ${id}`);
  });
  if (options.json === true) printJson(plain(trace));
  else for (const line of sessionTree(trace)) print(line);
}

const plain = (trace: SessionTrace): unknown => ({
  ...trace,
  continued: Object.fromEntries(trace.continued),
});

/** `atlas sessions`. */
export function sessionsCommand(program: Command): void {
  const sessions = program.command("sessions").description("look at what was recorded");
  withCommonOptions(sessions.command("list"))
    .description("sessions, newest first")
    .option("--limit <n>", "most sessions", "50")
    .option("--offset <n>", "skip the newest n", "0")
    .option(
      "--status <status...>",
      "only sessions that ended so: succeeded, failed, cancelled, running, abandoned",
    )
    .addOption(new Option("--review-status <status...>", "only these").choices([...REVIEW_STATUSES]))
    .option("--learning-key <key>", "only of this learning key")
    .action(list);
  withCommonOptions(
    sessions.command("show").argument("<id>", "UUID, an unambiguous prefix of it, or the integer"),
  )
    .description("the tree of what happened in a session")
    .action(show);
}
