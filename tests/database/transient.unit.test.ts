import { expect, test } from "vitest";
import { isTransient } from "../../database/transient.ts";
import { AtlasError } from "../../errors/atlas-error.ts";

const coded = (code: string, message = ""): Error => Object.assign(new Error(message), { code });

test.each([
  ..."ECONNREFUSED ECONNRESET EPIPE ENOENT ETIMEDOUT ENOTFOUND EAI_AGAIN EIO ENOSPC".split(" "),
  ..."08006 25P03 40001 40P01 53100 53300 55P03 57P01 57P02 57P03 58030".split(" "),
])("%s may go away by itself", (code) => {
  expect(isTransient(coded(code))).toBe(true);
});

test.each([..."22P02 23505 25P02 28P01 3D000 40002 42P01 XX000 EACCES".split(" ")])("%s stays", (code) => {
  expect(isTransient(coded(code))).toBe(false);
});

test.each([
  "Connection terminated unexpectedly",
  "Client has encountered a connection error and is not queryable",
  "timeout expired",
])("so may what node-postgres only says in words: %s", (message) => {
  expect(isTransient(new Error(message))).toBe(true);
});

test("an AtlasError says it itself", () => {
  expect(isTransient(new AtlasError("ATLAS_LOG_HELD", "held", { retryable: true }))).toBe(true);
  expect(isTransient(new AtlasError("ATLAS_LOG_CLOSED", "closed"))).toBe(false);
});

test.each([undefined, null, "ECONNRESET", new Error('relation "t" does not exist')])(
  "anything else is none",
  (error) => {
    expect(isTransient(error)).toBe(false);
  },
);
