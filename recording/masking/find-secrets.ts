import { rulesOf } from "./create-mask.ts";
import { DETECTOR_NAMES, type DetectorName } from "./detectors.ts";
import { maskText } from "./mask-text.ts";

type Finds = (text: string) => boolean;

/** Says whether these detectors would take something out of a text. */
function findsAny(detectors: readonly DetectorName[]): Finds {
  const rules = rulesOf({ detectors })!;
  return (text) => maskText(text, rules) !== text;
}

/**
 * Names the built-in detectors that find something in a text, as masks do: in JSON and by its keys, and in what is encoded.
 *
 * @example
 * secretFinder()("write to ada@example.org"); // ["email"]
 */
export function secretFinder(): (text: string) => DetectorName[] {
  const findsOne = findsAny(DETECTOR_NAMES);
  const each = DETECTOR_NAMES.map((name) => ({ name, finds: findsAny([name]) }));
  return (text) => (findsOne(text) ? each.filter(({ finds }) => finds(text)).map(({ name }) => name) : []);
}
