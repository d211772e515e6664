import { cards } from "./card-numbers.ts";
import { emails } from "./email-addresses.ts";
import { keyShapes, many, START } from "./key-shapes.ts";
import { type Finder, matchesOf } from "./spans.ts";

// Detectors read what models and tools wrote, so the time of each grows with the text and no faster: what follows a
// beginning that was found is read once, whether or not it is what was looked for.

const WORD = String.raw`[\w-]`;
// Of these two the first part alone matches too, so that no second look begins within it; it is told apart afterwards.
const JWT = new RegExp(String.raw`${START}eyJ${many(WORD, 8)}(?:\.eyJ${many(WORD, 4)}\.${WORD}*)?`, "g");

/** What is recognised: shapes, wherever they stand, and names under which everything is secret. */
export interface Detector {
  finders: readonly Finder[];
  /** Which names those are. */
  naming?: "secrets" | "api keys";
}

/** What is recognised without being told how it looks. */
export const DETECTORS = {
  api_key: { finders: [keyShapes], naming: "api keys" },
  jwt: { finders: [matchesOf(JWT, { needs: "eyJ", isOne: (match) => match.includes(".") })] },
  email: { finders: [emails] },
  card: { finders: [cards] },
  secret: { finders: [], naming: "secrets" },
} satisfies Record<string, Detector>;

/** Name of a built-in detector. */
export type DetectorName = keyof typeof DETECTORS;

/** The names of the built-in detectors. */
export const DETECTOR_NAMES = Object.keys(DETECTORS) as DetectorName[];
