import type { AtlasConfig } from "../configs/config-schema.ts";
import { checkedParts, type UserParts } from "../derivation/user-parts.ts";
import { AtlasError } from "../errors/atlas-error.ts";
import type { Processor } from "../processors/processor.ts";
import type { Projection } from "../projections/define-projection.ts";
import { loadExport, type ModuleExport } from "./load-export.ts";

/** What a program adds to the consumers of a log. */
export interface ProgramParts {
  processors?: readonly Processor[] | undefined;
  projections?: readonly Projection[] | undefined;
}

const has = (value: unknown, ...methods: string[]): boolean =>
  typeof value === "object" &&
  value !== null &&
  methods.every((method) => typeof (value as Record<string, unknown>)[method] === "function");

async function loaded<T>(
  places: readonly ModuleExport[],
  block: string,
  isOne: (value: unknown) => boolean,
  makes: string,
): Promise<T[]> {
  const parts: T[] = [];
  for (const [index, place] of places.entries()) {
    const found = await loadExport(place, `${block}[${index}]`, makes);
    if (!isOne(found))
      throw new AtlasError("ATLAS_CONFIG_INVALID", `what is exported is not what ${makes} returns`, {
        where: `${place.importPath}#${place.attribute}`,
        hint: `Export the result of ${makes}.`,
      });
    parts.push(found as T);
  }
  return parts;
}

/**
 * The processors and read models of a configuration and a program.
 *
 * @throws AtlasError ATLAS_CONFIG_INVALID where a module has none; ATLAS_PROCESSOR_INVALID where they do not go together
 */
export async function userPartsOf(
  { processors, projections }: Pick<AtlasConfig, "processors" | "projections">,
  own: ProgramParts = {},
): Promise<UserParts<Projection>> {
  return checkedParts({
    processors: [
      ...(await loaded<Processor>(
        processors,
        "processors",
        (one) => has(one, "begin", "key"),
        "defineProcessor",
      )),
      ...(own.processors ?? []),
    ],
    projections: [
      ...(await loaded<Projection>(
        projections,
        "projections",
        (one) => has(one, "prepare", "consume"),
        "defineProjection",
      )),
      ...(own.projections ?? []),
    ],
  });
}
