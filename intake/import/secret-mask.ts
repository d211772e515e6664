import { createMask } from "../../recording/masking/create-mask.ts";
import { type Masking, maskingBy } from "../../schemas/masked.ts";
import type { Format } from "../formats/format.ts";

const withoutSecrets = maskingBy(createMask({ detectors: ["secret", "api_key", "jwt"] }));

/**
 * What the sessions of a format go through: the mask of the log, and before it one that takes out keys and passwords,
 * where recordings of the format are full of them.
 *
 * @param keepsSecrets leaves it at the mask of the log
 */
export function maskFor(format: Pick<Format, "masked">, mask: Masking, keepsSecrets = false): Masking {
  if (format.masked !== true || keepsSecrets) return mask;
  return (event) => mask(withoutSecrets(event));
}
