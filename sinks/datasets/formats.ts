import { AtlasError } from "../../errors/atlas-error.ts";
import { TRAINER_FORMATS } from "../formats/formats.ts";
import type { RecordFormat } from "../formats/record-format.ts";
import { atlasFormat } from "./atlas-format.ts";
import type { DatasetFormat } from "./format.ts";

/** Formats that go by their name. */
export const DATASET_FORMATS: readonly DatasetFormat[] = [atlasFormat, ...TRAINER_FORMATS];

const hasOptions = (format: DatasetFormat): format is RecordFormat => "with" in format;

/**
 * The format of a name; one of the caller's own comes before one of this package. Options stand behind the name:
 * `trl-messages:arguments=text`.
 *
 * @throws AtlasError ATLAS_USAGE
 */
export function formatOf(name: string, own: readonly DatasetFormat[] = []): DatasetFormat {
  const formats = [...own, ...DATASET_FORMATS];
  const found = formats.find((format) => format.name === name);
  if (found !== undefined) return found;
  const [plain = "", options] = name.split(/:(.*)/s);
  const chosen = formats.find((format) => format.name === plain);
  if (options !== undefined && chosen !== undefined && hasOptions(chosen)) return chosen.with(options);
  throw new AtlasError("ATLAS_USAGE", `there is no format ${JSON.stringify(name)}`, {
    hint: `Use ${formats.map((format) => format.name).join(", ")}, or hand over a format of your own.`,
  });
}
