import type { RetryOutcome } from "../../app/retry-dead-letters.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import type { DeadLetter } from "../../log/dead-letters.ts";
import { oneLine, print, printJson, table } from "../output.ts";
import { type CommonOptions, EXIT, interruptSignal } from "../program.ts";
import { withAtlas } from "../session.ts";

interface RetryFlags extends CommonOptions {
  all?: boolean;
  author?: string;
}

const placeOf = ({ topic, partition, offset }: DeadLetter): string => `${topic}[${partition}]@${offset}`;

/** `atlas dead-letters list`. */
export async function list(options: CommonOptions): Promise<void> {
  // Looking must not change anything: no consumers are hosted.
  const letters = await withAtlas(options, ({ deadLetters }) => deadLetters.list(), { consumers: false });
  if (options.json === true) {
    printJson(letters);
    return;
  }
  if (letters.length === 0) {
    print("No record was set aside.");
    return;
  }
  for (const line of table(letters, [
    { title: "ID", value: ({ id }) => id },
    { title: "Consumer", value: ({ group }) => group },
    { title: "Record", value: placeOf },
    { title: "When", value: ({ at }) => at.toISOString().slice(0, 19).replace("T", " ") },
    { title: "Session", value: ({ sessionId }) => sessionId ?? "–" },
    { title: "Code", value: ({ errorCode }) => errorCode },
    { title: "Error", value: ({ error }) => oneLine(error, 60) },
  ]))
    print(line);
}

function lineOf(outcome: RetryOutcome): string {
  const what = `${outcome.letter.group} ${placeOf(outcome.letter)}`;
  if (outcome.status === "applied") return `${what} is applied.`;
  if (outcome.status === "already-applied") return `${what} was applied by somebody else.`;
  if (outcome.status === "unpublished")
    return `${what} is applied. What came of it goes into the log once \`atlas worker\` runs.`;
  return `${what} was refused again. ${outcome.error.code}: ${oneLine(outcome.error.message, 200)}`;
}

const plain = (outcome: RetryOutcome): unknown =>
  outcome.status === "refused"
    ? { ...outcome, error: { code: outcome.error.code, message: outcome.error.message } }
    : outcome;

/** `atlas dead-letters retry`. */
export async function retry(ids: string[], options: RetryFlags): Promise<void> {
  if ((ids.length === 0) !== (options.all === true))
    throw new AtlasError("ATLAS_USAGE", "name dead letters, or say --all", {
      hint: "Such as: atlas dead-letters retry --all",
    });
  const signal = interruptSignal();
  const outcomes = await withAtlas(options, async (atlas) => {
    await atlas.settled({ signal });
    const done = await atlas.deadLetters.retry({
      ids: options.all === true ? undefined : ids,
      author: options.author,
    });
    await atlas.settled({ signal });
    return done;
  });
  if (options.json === true) printJson(outcomes.map(plain));
  else {
    for (const outcome of outcomes) print(lineOf(outcome));
    if (outcomes.length === 0) print("No record was set aside.");
  }
  const refused = outcomes.filter(({ status }) => status === "refused").length;
  if (refused > 0) process.exitCode = refused === outcomes.length ? EXIT.failure : EXIT.partial;
}
