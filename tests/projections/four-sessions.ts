import { factsOf, wholeSession } from "../traces/sessions.ts";
import { logOf } from "./replayed.ts";

/** Four whole sessions, each of a learning key of its own, with what is derived from them. */
export const sessions = ["a", "b", "c", "d"].map((name) => {
  const own = wholeSession(name, { learningKey: `key ${name}` });
  return { name, own, facts: factsOf(own) };
});

export const events = sessions.flatMap(({ own, facts }) => [...own, ...facts]);
export const records = logOf(events);
