import { AtlasError } from "../../errors/atlas-error.ts";
import type { EventLog } from "../../log/event-log.ts";
import type { Uuid } from "../../schemas/generated/events.ts";
import { checkLearningKey } from "../../schemas/learning-key.ts";
import type { ToolDefinition } from "../chat/tool-definitions.ts";
import { formatNamed } from "../formats/formats.ts";
import { isTimeZone } from "../recorded-time.ts";
import { factsOf, type RewardScale } from "./conversation-facts.ts";
import { groupOf } from "./group-by.ts";
import { assumedTime, beginIntake, type ImportSummary, type IntakeOptions, name } from "./intake.ts";
import { checkReadable, type FoundConversation, readRecordings } from "./read-recordings.ts";
import { sessionOf } from "./recorded-session.ts";
import { maskFor } from "./secret-mask.ts";

/** How recordings are read. */
export interface RecordedOptions {
  /** Name of the format of all files; each file's is recognized unless told. */
  format?: string | undefined;
  /** Learning key of every session; the recorded or a derived one unless told. */
  learningKey?: string | undefined;
  /** When conversations without recorded times happened; their file's time unless told. */
  at?: Date | undefined;
  /** The zone of recorded times that name none; UTC unless told. */
  timeZone?: string | undefined;
  /** What the worst and the best recorded reward are; 0 and 1 unless told. */
  rewardScale?: RewardScale | undefined;
  /** The tools that the agent could call, for recordings that do not say. */
  tools?: readonly ToolDefinition[] | undefined;
  /** The field whose value trials of one task share, as `info.task_id`; the format's own unless told. */
  groupBy?: string | undefined;
  /** Leaves keys and passwords in recordings of formats that are full of them; the mask of the log works all the same. */
  keepSecrets?: boolean | undefined;
}

/** What to import, and how. */
export interface ImportOptions extends Omit<IntakeOptions, "log">, RecordedOptions {
  files: readonly string[];
  log: Pick<EventLog, "append" | "mask">;
  /** Hash of the rules that the sessions are rewarded by. */
  rulesHash: string;
}

const AS_IT_WAS =
  "it comes from an Atlas log, and is taken over as it was there: --learning-key, --tools and --group-by do not change it";

function usage(message: string, where: string, hint: string): AtlasError {
  return new AtlasError("ATLAS_USAGE", message, { where, hint });
}

/**
 * Looks at how recordings are to be read, without reading any.
 *
 * @throws AtlasError ATLAS_USAGE, ATLAS_LEARNING_KEY_INVALID
 */
export function checkOptions({ format, learningKey, timeZone, rewardScale }: RecordedOptions): void {
  if (format !== undefined) formatNamed(format);
  if (learningKey !== undefined) checkLearningKey(learningKey, "--learning-key");
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    const message = `${JSON.stringify(timeZone)} is no time zone`;
    throw usage(message, "--time-zone", "Give a name such as Europe/Berlin, or an offset such as +02:00.");
  }
  if (rewardScale !== undefined && !(rewardScale.min < rewardScale.max)) {
    const message = "the worst reward is not below the best";
    throw usage(message, "--reward-scale", "Give two numbers, the worst and the best, as in -1,1.");
  }
}

/**
 * Imports recorded conversations as the sessions they were. Importing the same recordings again appends nothing, also
 * when the first import was killed half-way.
 *
 * @throws AtlasError ATLAS_FILE_UNREADABLE, before anything was appended unless a file fails while it is read;
 *   ATLAS_LEARNING_KEY_INVALID, ATLAS_USAGE; what the log's append throws; the signal's reason when it aborts
 * @example
 * const { sessions, problems } = await importRecorded({ files: ["runs.jsonl"], log, rulesHash });
 */
export async function importRecorded(options: ImportOptions): Promise<ImportSummary> {
  const { files, log, learningKey, rulesHash, timeZone } = options;
  checkOptions(options);
  const format = options.format === undefined ? undefined : formatNamed(options.format);
  const { appender, summary, refuse, see } = beginIntake(options);
  const sessionOfId = new Map<string, Uuid>();
  let messages = 0;
  const { tools, groupBy } = options;
  const isChanging = [learningKey, tools, groupBy].some((given) => given !== undefined);

  const add = async ({
    file,
    log: counted,
    line,
    format,
    conversation: read,
    fileTime,
    length,
  }: FoundConversation): Promise<void> => {
    const warn = (reason: string): void => name(summary.warnings, { file, line, reason });
    if (read.session !== undefined && isChanging) warn(AS_IT_WAS);
    const conversation = {
      ...read,
      tools: read.tools ?? (options.tools === undefined ? undefined : [...options.tools]),
      groupId:
        options.groupBy === undefined || read.session !== undefined
          ? read.groupId
          : groupOf(read, options.groupBy, warn),
    };
    const facts = factsOf(conversation, options.rewardScale ?? { min: 0, max: 1 }, warn);
    if (typeof facts === "string") return refuse({ file, line, reason: facts });
    see(counted, format.name, conversation, facts);
    // One count over all rows: sessions without recorded times stay in the order in which they were written.
    const assumedStart = assumedTime(options.at, fileTime) + messages;
    messages += conversation.messages.length;
    const recording = { format, conversation, facts };
    const { events, earlier, isRestored } = sessionOf(recording, {
      learningKey,
      rulesHash,
      mask: maskFor(format, log.mask, options.keepSecrets),
      assumedStart,
    });
    const sessionId = events[0]!.meta.source;
    const { id } = conversation;
    if (id !== undefined) {
      const other = sessionOfId.get(id);
      if (other !== undefined && other !== sessionId)
        warn(`another conversation has the id ${JSON.stringify(id)} too; both were imported`);
      sessionOfId.set(id, sessionId);
    }
    await appender.add({ events, earlier, isRestored, length });
  };

  await checkReadable(files);
  for (const file of files) {
    for await (const each of readRecordings(file, { format, timeZone })) {
      if ("found" in each) await add(each.found);
      else if ("problem" in each) refuse(each.problem);
      else name(summary.warnings, each.note);
    }
  }
  await appender.flush();
  return summary;
}
