import { AtlasError } from "../errors/atlas-error.ts";

/** Variables whose values were read from a `.env`, and not given by who started the process; with the file's path. */
const files = new Map<string, string>();

/** Takes note that a variable's value was read from a `.env`. */
export const noteOfProject = (variable: string, file: string): void => void files.set(variable, file);

/** What stands for an address where it is shown: its host. */
export function hostOf(address: string): string {
  const url = URL.parse(address.includes("://") ? address : `kafka://${address}`);
  return url?.host || "an address that cannot be read";
}

/**
 * The address that a variable holds, for requests that carry the key of another one; undefined where it holds none.
 *
 * @throws AtlasError ATLAS_CONFIG_INVALID where the address was read from `.env` and the key was not read there
 */
export function addressFor(variable: string, keyVariable: string): string | undefined {
  const address = process.env[variable] || undefined;
  const file = files.get(variable);
  const isApart = file !== undefined && files.get(keyVariable) !== file && process.env[keyVariable];
  if (address === undefined || !isApart) return address;
  throw new AtlasError(
    "ATLAS_CONFIG_INVALID",
    `${variable} names ${hostOf(address)}, where ${keyVariable}, which is set elsewhere, does not go`,
    { where: file, hint: "Set both in one place." },
  );
}
