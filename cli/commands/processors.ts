import type { ProcessorVersion } from "../../derivation/versions/list-versions.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import { count } from "../count.ts";
import { print, printJson, startProgress, table } from "../output.ts";
import { type CommonOptions, interruptSignal } from "../program.ts";
import { withAtlas } from "../session.ts";

interface PromoteFlags extends CommonOptions {
  versionNumber?: string;
  author?: string;
}

/** `atlas processors list`. */
export async function list(options: CommonOptions): Promise<void> {
  // Looking must not change anything: no consumers are hosted.
  const versions = await withAtlas(options, ({ processors }) => processors.list(), { consumers: false });
  if (options.json === true) return printJson(versions);
  if (versions.length === 0) return print("No processor has run on this database.");
  for (const line of table<ProcessorVersion>(versions, [
    { title: "PROCESSOR", value: ({ processor }) => processor },
    { title: "VERSION", value: ({ version }) => String(version), align: "right" },
    { title: "ROLE", value: ({ role }) => role },
    { title: "BEHIND", value: ({ behind }) => String(behind), align: "right" },
    { title: "KEPT", value: ({ kept }) => String(kept), align: "right" },
  ]))
    print(line);
}

/** `atlas processors promote`. */
export async function promote(processor: string, options: PromoteFlags): Promise<void> {
  const signal = interruptSignal();
  const progress = startProgress(options.quiet);
  const version =
    options.versionNumber === undefined ? undefined : count(options.versionNumber, "--version-number", 1);
  const done = await withAtlas(options, async (atlas) => {
    const promoted = await atlas.processors.promote({
      processor,
      version,
      author: options.author,
      onProgress: (partitions, of) => progress.update(`${partitions} of ${of} partitions`),
      signal,
    });
    await atlas.settled({ signal });
    return promoted;
  });
  progress.done();
  if (options.json === true) return printJson(done);
  if (done.partitions === 0) return print(`Version ${done.version} of ${processor} answers already.`);
  const what = `${done.revised} results revised, ${done.added} added`;
  print(`Version ${done.version} of ${processor} answers now, in ${done.partitions} partitions: ${what}.`);
}

/** `atlas processors retire`. */
export async function retire(named: string, options: CommonOptions): Promise<void> {
  const [, processor, version] = /^([a-z][a-z0-9-]*)@(\d+)$/.exec(named) ?? [];
  if (processor === undefined)
    throw new AtlasError("ATLAS_USAGE", `${JSON.stringify(named)} is no version of a processor`, {
      hint: "Such as: atlas processors retire drift@3",
    });
  await withAtlas(options, ({ processors }) => processors.retire({ processor, version: Number(version) }), {
    consumers: false,
  });
  if (options.json === true) printJson({ retired: named });
  else print(`${named} is forgotten.`);
}
