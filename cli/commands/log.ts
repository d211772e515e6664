import { copyLogTo } from "../../app/copy-log.ts";
import { verifyLog } from "../../derivation/verify-log.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import { allTopics } from "../../log/all-topics.ts";
import type { EventLog } from "../../log/event-log.ts";
import { isoOf } from "../../schemas/identity.ts";
import type { Topic } from "../../schemas/topics.ts";
import { copyTargetOf } from "../copy-target.ts";
import { count } from "../count.ts";
import { oneLine, print, printJson, startProgress, table } from "../output.ts";
import { type CommonOptions, EXIT, interruptSignal } from "../program.ts";
import { withAtlas, withLog } from "../session.ts";

interface TailOptions extends CommonOptions {
  topic?: string[];
  limit: string;
}

/** Reads without hosting consumers: looking at a log must not change anything. */
const LOOKING = { consumers: false };

/** The topics of a log that are asked for, by name; all of them where none is. */
async function topicsOf(log: EventLog, asked?: readonly string[]): Promise<Topic[]> {
  const all = await allTopics(log);
  const unknown = asked?.find((name) => !(all as string[]).includes(name));
  if (unknown !== undefined)
    throw new AtlasError("ATLAS_USAGE", `the log has no topic ${JSON.stringify(unknown)}`, {
      where: "--topic",
      hint: `It has ${all.join(", ")}.`,
    });
  return asked === undefined ? all : all.filter((topic) => asked.includes(topic));
}

/** `atlas log tail`. */
export async function tail(options: TailOptions): Promise<void> {
  const limit = count(options.limit, "--limit", 1);
  const records = await withAtlas(
    options,
    async ({ log }) => {
      const ends = await log.ends(await topicsOf(log, options.topic));
      const found = [];
      for (const [topic, offsets] of ends) {
        for (const [partition, end] of offsets.entries()) {
          const fromOffset = Math.max(0, end - limit);
          for await (const batch of log.read([topic], { partition, fromOffset, untilOffset: end }))
            for (const record of batch) found.push(record);
        }
      }
      return found.sort((a, b) => a.appendedAt - b.appendedAt || a.offset - b.offset).slice(-limit);
    },
    LOOKING,
  );
  if (records.length === 0 && options.json !== true)
    print(`No event in ${options.topic?.join(", ") ?? "the log"}.`);
  for (const { topic, partition, offset, event } of records) {
    if (options.json === true) print(JSON.stringify({ topic, partition, offset, event }));
    else {
      const { meta, type, ...fields } = event;
      print(
        `${isoOf(meta.occurred_at).slice(0, 23)} ${topic}[${partition}]@${offset} ${type} ${(meta.session_id ?? "").slice(0, 13)} ${oneLine(JSON.stringify(fields), 100)}`,
      );
    }
  }
}

/** `atlas log verify`. */
export async function verify(options: CommonOptions): Promise<void> {
  const progress = startProgress(options.quiet);
  const report = await withAtlas(
    options,
    ({ log }) => verifyLog(log, (events) => progress.update(`${events} events`)),
    LOOKING,
  );
  progress.done();
  const broken = report.gaps.length + report.incompleteSessions.length;
  if (options.json === true) printJson(report);
  else {
    print(`Log ${report.logId}: ${report.events} events`);
    for (const line of table(report.topics, [
      { title: "Topic", value: ({ topic }) => topic },
      { title: "Events", value: ({ events }) => String(events), align: "right" },
      { title: "Ends", value: ({ ends }) => ends.join(" ") },
    ]))
      print(line);
    for (const { topic, partition, from, to } of report.gaps)
      print(`gap: ${topic}[${partition}] offsets ${from} to ${to}`);
    for (const { sessionId, missing } of report.incompleteSessions)
      print(`incomplete: session ${sessionId} lacks ${missing} events`);
    for (const { sessionId, learningKey } of report.outOfOrder)
      print(`out of order: session ${sessionId} of ${oneLine(learningKey, 60)}`);
    for (const { sessionId, learningKey } of report.lateDecisions)
      print(`late decision: on session ${sessionId} of ${oneLine(learningKey, 60)}`);
    for (const { sessionId, learningKey, after } of report.waiting)
      print(
        `waits for drift: session ${sessionId} of ${oneLine(learningKey, 60)}, until ${after} is rewarded`,
      );
    for (const { sessionId, what } of report.unorderedReviews)
      print(`review in another order: session ${sessionId}: ${what}`);
    print(broken === 0 ? "Every offset is there, and every session is whole." : `${broken} problems.`);
  }
  if (broken > 0) process.exitCode = EXIT.failure;
}

/** `atlas log flush`. */
export async function flush(options: CommonOptions): Promise<void> {
  const { events, files, kept } = await withAtlas(options, (atlas) => atlas.spool.drain(), LOOKING);
  if (options.json === true) printJson({ events, files, kept });
  else {
    if (options.quiet !== true)
      print(events === 0 ? "No event waited in the spool." : `Appended ${events} events of ${files} files.`);
    for (const { path, why } of kept) print(`kept: ${path}: ${oneLine(why, 200)}`);
  }
  if (kept.length > 0) process.exitCode = EXIT.partial;
}

interface CopyFlags extends CommonOptions {
  to: string;
  schemaRegistryUrl?: string;
}

/** `atlas log copy`. */
export async function copy(options: CopyFlags): Promise<void> {
  const to = copyTargetOf(options.to, options.schemaRegistryUrl);
  const signal = interruptSignal();
  const progress = startProgress(options.quiet);
  const onProgress = (events: number): void => progress.update(`${events} events`);
  const summary = await withLog(options, (log) => copyLogTo(log, to, { signal, onProgress })).finally(() =>
    progress.done(),
  );
  if (options.json === true) printJson(summary);
  else if (options.quiet !== true) {
    const before = summary.present === 0 ? "" : `; ${summary.present} were there already`;
    print(`Copied ${summary.copied} events to ${summary.to.address}${before}`);
  }
}
