import { AtlasError } from "../../errors/atlas-error.ts";
import { TRAINER_FORMATS } from "../formats/formats.ts";
import { atlasFormat } from "./atlas-format.ts";
import type { DatasetFormat } from "./format.ts";

/** Formats that go by their name. */
export const DATASET_FORMATS: readonly DatasetFormat[] = [atlasFormat, ...TRAINER_FORMATS];

/**
 * The format of a name; one of the caller's own comes before one of this package.
 *
 * @throws AtlasError ATLAS_USAGE
 */
export function formatOf(name: string, own: readonly DatasetFormat[] = []): DatasetFormat {
  const formats = [...own, ...DATASET_FORMATS];
  const found = formats.find((format) => format.name === name);
  if (found !== undefined) return found;
  throw new AtlasError("ATLAS_USAGE", `there is no format ${JSON.stringify(name)}`, {
    hint: `Use ${formats.map((format) => format.name).join(", ")}, or hand over a format of your own.`,
  });
}
