import { z } from "zod";
import { block, text } from "./schema-parts.ts";

const perMillion = z.number().min(0);

const price = block({
  input: perMillion.describe("US dollars per million tokens of input."),
  cached_input: perMillion
    .optional()
    .describe("Of input that the provider had cached; as any other input unless told."),
  output: perMillion.describe("US dollars per million tokens of output, reasoning included."),
});

/** What models cost. */
export const pricesSchema = z
  .record(text, price)
  .describe("By the beginning of a model's name; the longest that fits counts.");
