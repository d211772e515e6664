import { AtlasError } from "../errors/atlas-error.ts";

const MOST = 512;

/**
 * What keeps a value from being a learning key, to follow its name; undefined where nothing does. State is kept by learning
 * key, and no database holds others.
 *
 * @example
 * learningKeyProblem("k".repeat(513)); // "is longer than 512 characters"
 */
export function learningKeyProblem(value: unknown): string | undefined {
  if (typeof value !== "string") return "is no text";
  if (value.trim() === "") return "is empty";
  // Characters are never more than UTF-16 units, which need no counting.
  if (value.length > MOST && [...value].length > MOST) return `is longer than ${MOST} characters`;
  if (/\p{Cc}/u.test(value)) return "holds a control character";
  return value.isWellFormed() ? undefined : "holds half a surrogate pair";
}

/**
 * Refuses what cannot be a learning key. Whoever takes one from outside asks here, before anything is recorded.
 *
 * @param where what it was given as, where it has a name
 * @throws AtlasError ATLAS_LEARNING_KEY_INVALID
 */
export function checkLearningKey(value: unknown, where?: string): void {
  const problem = learningKeyProblem(value);
  if (problem === undefined) return;
  throw new AtlasError("ATLAS_LEARNING_KEY_INVALID", `the learning key ${problem}`, {
    hint: "Name what sessions have in common in a word or two.",
    ...(where !== undefined && { where }),
  });
}
