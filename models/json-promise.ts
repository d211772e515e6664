import type { ModelRequest } from "./model-client.ts";
import { ModelFailure } from "./model-error.ts";

/** What a server promises about a reply: that it keeps a schema, that it is one JSON object, or nothing. */
export type JsonPromise = "schema" | "object" | "none";

const ABOUT_JSON =
  /response_format|json_schema|json_object|json mode|structured.outputs?|output_config|output_format|guided|response.?(mime|schema)/i;

const isRefusal = (error: unknown): boolean =>
  error instanceof ModelFailure &&
  [400, 404, 415, 422, 501].includes(error.status ?? 0) &&
  ABOUT_JSON.test(error.message);

/**
 * Asks for the most that a server is known to keep of the promises about JSON, and for less, once, after each that it
 * refuses. Remembers what was refused.
 *
 * @param promises what the provider's API knows, the strongest first, "none" last
 * @example
 * const asking = jsonPromises(["schema", "object", "none"]);
 * const reply = await asking(request, (promise) => send(request, promise));
 */
export function jsonPromises(promises: readonly JsonPromise[]) {
  let keeps = 0;

  /** Where to begin for this request: one that gives no schema can be promised no more than an object. */
  function from({ json, jsonSchema }: ModelRequest): number {
    const wanted = jsonSchema !== undefined ? "schema" : json === true ? "object" : "none";
    const at = promises.indexOf(wanted);
    return Math.max(keeps, at < 0 ? promises.length - 1 : at);
  }

  return async <T>(request: ModelRequest, ask: (promise: JsonPromise) => Promise<T>): Promise<T> => {
    for (let at = from(request); ; at++) {
      const promise = promises[at]!;
      try {
        return await ask(promise);
      } catch (error) {
        if (promise === "none" || !isRefusal(error)) throw error;
        keeps = Math.max(keeps, at + 1);
      }
    }
  };
}
