import type { ExportSummary } from "../../sinks/jsonl/export-sessions.ts";
import { leftOutLine } from "../dataset-flags.ts";
import { checkedExport, type ExportFlags } from "../export-flags.ts";
import { print, startProgress, tell } from "../output.ts";
import { interruptSignal } from "../program.ts";
import { READING, withAtlas } from "../session.ts";

const STDOUT = "/dev/stdout";

/** What an export wrote, for people. */
function summaryLines({ file, manifest, manifestPath }: ExportSummary): string[] {
  const simulated =
    manifest.simulated_sessions === 0 ? "" : ` (${manifest.simulated_sessions} of them simulated)`;
  const beside =
    manifestPath === undefined ? "no manifest, because it is no file" : `manifest ${manifestPath}`;
  const leftOut = leftOutLine(manifest.left_out.simulated);
  return [
    `Wrote ${manifest.sessions} sessions${simulated} with ${manifest.steps} steps to ${file.path}`,
    ...(leftOut === undefined ? [] : [leftOut]),
    `sha256 ${file.sha256}, ${file.bytes} bytes; ${beside}`,
  ];
}

/** `atlas export`. */
export async function run(options: ExportFlags & { output: string }): Promise<void> {
  const exportSessions = checkedExport(options);
  const output = options.output === "-" ? STDOUT : options.output;
  const signal = interruptSignal();
  const progress = startProgress(options.quiet);
  const summary = await withAtlas(
    options,
    async (atlas) => {
      await atlas.settled({ signal });
      return exportSessions(atlas, {
        output,
        signal,
        onProgress: (sessions) => progress.update(`${sessions} sessions`),
      });
    },
    READING,
  ).finally(() => progress.done());
  const { file, manifest, manifestPath } = summary;
  // Where the sessions are on standard output, what is said of them is not.
  const say = output === STDOUT ? tell : print;
  if (options.json === true) say(JSON.stringify({ file, manifestPath, manifest }, null, 2));
  else if (options.quiet !== true) for (const line of summaryLines(summary)) say(line);
}
