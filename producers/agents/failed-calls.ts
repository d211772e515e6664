import { type AtlasError, isAtlasError } from "../../errors/atlas-error.ts";

const known = new WeakMap<object, AtlasError>();

/** Keeps what an error that somebody else's SDK threw means, so that it is known again where the agent throws it on. */
export function keepFailure(thrown: unknown, failure: AtlasError): void {
  if (typeof thrown === "object" && thrown !== null) known.set(thrown, failure);
}

/**
 * What is behind an error that an agent threw: the error itself or one of its causes, where it is ours or was that of
 * a recorded call.
 */
export function failureBehind(error: unknown): AtlasError | undefined {
  const seen = new Set<unknown>();
  for (let at = error; typeof at === "object" && at !== null && !seen.has(at); ) {
    seen.add(at);
    if (isAtlasError(at)) return at;
    const failure = known.get(at);
    if (failure !== undefined) return failure;
    at = (at as { cause?: unknown }).cause;
  }
  return undefined;
}
