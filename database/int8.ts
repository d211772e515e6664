import pg from "pg";
import type { Parsers } from "./database.ts";

const INT8 = 20;
const INT8_ARRAY = 1016;

const toNumber = (text: string): number | string => {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
};

const deep = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(deep) : typeof value === "string" ? toNumber(value) : value;

const parseArray: (text: string) => unknown = (
  pg.types.getTypeParser as (oid: number) => (text: string) => unknown
)(INT8_ARRAY);

/** node-postgres' own parsers, but an int8 is a number where that is exact, else the text it was. */
export const TYPES: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text" | "binary") => {
    if (format === "binary") return pg.types.getTypeParser(oid, format);
    if (oid === INT8) return toNumber;
    if (oid === INT8_ARRAY) return (text: string) => deep(parseArray(text));
    return pg.types.getTypeParser(oid);
  }) as pg.CustomTypesConfig["getTypeParser"],
};

/** The same parsers, but for the types that are named here. */
export const typesWith = (parsers: Parsers): pg.CustomTypesConfig => ({
  getTypeParser: ((oid: number, format?: "text" | "binary") =>
    (format === "binary" ? undefined : parsers[oid]) ??
    TYPES.getTypeParser(oid, format)) as pg.CustomTypesConfig["getTypeParser"],
});
