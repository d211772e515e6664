import { AtlasError } from "../errors/atlas-error.ts";

/** A whole number of a flag. */
export function count(text: string, flag: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new AtlasError("ATLAS_USAGE", `${JSON.stringify(text)} is not a whole number from ${least}`, {
    where: flag,
  });
}
