import { AtlasError } from "../../errors/atlas-error.ts";
import type { SessionSummary } from "../../projections/session-summaries.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import { ask, canAsk } from "../ask.ts";
import { count } from "../count.ts";
import { nothingMatches } from "../nothing-found.ts";
import { oneLine, print, printJson, table, tell } from "../output.ts";
import { type CommonOptions, interruptSignal } from "../program.ts";
import { ATLAS } from "../program-name.ts";
import { READING, withAtlas } from "../session.ts";
import { sessionTree } from "../session-tree.ts";
import { sessionStatusesOf } from "../statuses.ts";
import { simulatedOf } from "./review.ts";

interface ListOptions extends CommonOptions {
  limit: string;
  offset: string;
  status?: string[];
  reviewStatus?: string[];
  learningKey?: string;
  simulated?: string;
}

/** `atlas sessions list`. */
export async function list(options: ListOptions): Promise<void> {
  const limit = count(options.limit, "--limit", 1);
  const offset = count(options.offset, "--offset", 0);
  const { status, reviewStatus, learningKey } = options;
  const statusFilters = status && sessionStatusesOf(status, "--status");
  const simulated = simulatedOf(options.simulated);
  const filters = { statusFilters, reviewStatusFilters: reviewStatus, learningKey, simulated };
  const signal = interruptSignal();
  const { sessions, matching, all } = await withAtlas(
    options,
    async ({ settled, sessions }) => {
      await settled({ signal });
      const listed = await sessions.list({ ...filters, limit, offset });
      if (listed.length > 0) return { sessions: listed, matching: listed.length, all: listed.length };
      return { sessions: listed, matching: await sessions.count(filters), all: await sessions.count() };
    },
    READING,
  );
  if (options.json === true) {
    printJson(sessions);
    return;
  }
  if (sessions.length === 0) {
    const narrowing =
      matching > 0
        ? { "--offset": options.offset }
        : {
            "--status": status,
            "--review-status": reviewStatus,
            "--learning-key": learningKey,
            "--simulated": options.simulated,
          };
    const none = `No sessions yet. Try \`${ATLAS} quickstart\` or \`${ATLAS} import FILE\`.`;
    print(nothingMatches("session", narrowing, matching > 0 ? matching : all) ?? none);
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

/** `atlas sessions show`. */
export async function show(id: string, options: CommonOptions): Promise<void> {
  const signal = interruptSignal();
  const trace = await withAtlas(
    options,
    async (atlas) => {
      await atlas.settled({ signal });
      return atlas.sessions.get(id);
    },
    READING,
  );
  if (options.json === true) printJson(plain(trace));
  else for (const line of sessionTree(trace)) print(line);
}

const plain = (trace: SessionTrace): unknown => ({
  ...trace,
  continued: Object.fromEntries(trace.continued),
});

interface EraseOptions extends CommonOptions {
  reason: string;
  author?: string;
}

async function confirmed(task: string, options: EraseOptions): Promise<boolean> {
  if (options.yes === true) return true;
  if (!canAsk()) {
    throw new AtlasError("ATLAS_USAGE", "erasing a session cannot be undone", {
      hint: "Say --yes where nobody can be asked.",
    });
  }
  tell(`Erasing takes "${oneLine(task, 60)}" out of the read models and all later datasets, for good.`);
  return /^y(es)?$/i.test(await ask("Erase it? [y/N] "));
}

/** `atlas sessions erase`. */
export async function erase(id: string, options: EraseOptions): Promise<void> {
  if (options.reason.trim() === "") throw new AtlasError("ATLAS_USAGE", "--reason says nothing");
  const signal = interruptSignal();
  const { reason, author } = options;
  const done = await withAtlas(options, async (atlas) => {
    await atlas.settled({ signal });
    const found = await atlas.sessions.findErasable(id);
    if (found.session === undefined) return { sessionId: found.sessionId, erasedAt: found.erasedAt };
    if (!(await confirmed(found.session.task, options)))
      return { sessionId: found.sessionId, erasedAt: null };
    await atlas.sessions.erase(found.sessionId, { reason, author });
    await atlas.settled({ signal });
    const { erasedAt = null } = await atlas.sessions.findErasable(found.sessionId);
    return { sessionId: found.sessionId, erasedAt };
  });
  if (options.json === true) printJson(done);
  else if (done.erasedAt === null) print(`Session ${done.sessionId} stays.`);
  else print(`Session ${done.sessionId} is erased since ${done.erasedAt.toISOString()}.`);
}
