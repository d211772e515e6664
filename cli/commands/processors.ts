import type { ProcessorVersion } from "../../derivation/versions/list-versions.ts";
import type { PromotedVersion } from "../../derivation/versions/promote-version.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import { count } from "../count.ts";
import { print, printJson, startProgress, table } from "../output.ts";
import { type CommonOptions, interruptSignal } from "../program.ts";
import { withAtlas } from "../session.ts";

interface PromoteFlags extends CommonOptions {
  all?: boolean;
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

const wordsOf = ({ processor, version, partitions, revised, added }: PromotedVersion): string =>
  partitions === 0
    ? `Version ${version} of ${processor} answers already.`
    : `Version ${version} of ${processor} answers now, in ${partitions} partitions: ${revised} results revised, ${added} added.`;

/** `atlas processors promote`. */
export async function promote(processor: string | undefined, options: PromoteFlags): Promise<void> {
  if ((processor === undefined) !== (options.all === true))
    throw new AtlasError("ATLAS_USAGE", "name a processor, or say --all", {
      hint: "Such as: atlas processors promote drift",
    });
  const signal = interruptSignal();
  const progress = startProgress(options.quiet);
  const { author } = options;
  const version =
    options.versionNumber === undefined ? undefined : count(options.versionNumber, "--version-number", 1);
  const done = await withAtlas(options, async (atlas) => {
    const promoted: PromotedVersion[] = [];
    const names = new Set((await atlas.processors.list()).map((one) => one.processor));
    for (const name of processor === undefined ? names : [processor]) {
      const onProgress = (partitions: number, of: number): void =>
        progress.update(`${name}: ${partitions} of ${of} partitions`);
      promoted.push(await atlas.processors.promote({ processor: name, version, author, onProgress, signal }));
      await atlas.settled({ signal });
    }
    return promoted;
  });
  progress.done();
  if (options.json === true) printJson(processor === undefined ? done : done[0]);
  else for (const one of done) print(wordsOf(one));
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
