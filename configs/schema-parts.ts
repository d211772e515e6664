import { z } from "zod";
import { camelKeys } from "./camel-case.ts";

/** A block of the file: its keys are fixed, and get their camelCase names when it is read. */
export const block = <S extends z.ZodRawShape>(shape: S) => z.strictObject(shape).transform(camelKeys);

export const text = z.string().min(1, { error: "must not be empty" });

/** What is wrong with a pattern such as `(a+)+`. */
export const NESTED_REPEATS =
  "must not repeat a repetition without limit, as (a+)+ does: it can take for ever; write (a+){1,8}, say";

const url = (protocols: string[], example: string) =>
  text.refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol), {
    error: `must be a URL such as ${example}`,
  });

export const databaseUrl = url(["postgresql:", "postgres:"], "postgresql://user@host:5432/database");
export const httpUrl = url(["http:", "https:"], "https://host/path");

/** Names of variables stand in a file, what they hold never does. */
export const variable = text.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, {
  error: "must be the name of an environment variable, not a key",
});

const modulePath = (what: string) => text.describe(`Module with ${what}, from this file's folder.`);

/** Where something is that a module of the user's exports. */
export const moduleExport = (what: string) => ({
  import_path: modulePath(what),
  attribute: text.default("default").describe("Name of the module's export."),
});
