/** Emits into a log that never answers, until it is killed. Arguments: spool folder, log id, session id. */
import { AtlasError } from "../../errors/atlas-error.ts";
import { createFlusher } from "../../recording/flusher.ts";
import { createRecorder } from "../../recording/recorder.ts";
import { alreadyMasked } from "../../schemas/masked.ts";

const [folder = "", logId = "", sessionId = ""] = process.argv.slice(2);
const log = {
  mask: alreadyMasked,
  append: async () => {
    throw new AtlasError("ATLAS_LOG_UNREACHABLE", "no answer", { retryable: true });
  },
};
const flusher = createFlusher(log, { spool: { folder, logId } });
const recorder = createRecorder({ flusher, sessionId });
recorder.emit("SessionStarted", { task: "t", learning_key: "k", agent: "mine" });
let step = 0;
let told = 0;
setInterval(() => {
  for (let n = 0; n < 50; n += 1) recorder.emit("StepSkipped", { step_id: ++step, reason: "r".repeat(500) });
  if (flusher.spooled > told) {
    told = flusher.spooled;
    process.stdout.write(`${told}\n`);
  }
}, 1);
