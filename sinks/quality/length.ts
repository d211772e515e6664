import { type Check, eachRecord } from "./check.ts";
import { tokensOf } from "./record.ts";

/** Records fit into so many tokens: what is longer is cut by trainers, or left out, in silence. */
export const length = (most: number): Check =>
  eachRecord((record) => {
    const tokens = tokensOf(record);
    return tokens > most ? `about ${tokens} tokens` : undefined;
  });
