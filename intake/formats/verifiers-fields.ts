import { isObject } from "../../traces/clean-text.ts";
import { numberIn, type Reader, textIn } from "./fields.ts";

/** A moment; 0 stands for none. */
export const momentIn: Reader<unknown> = (value) =>
  numberIn(value) === 0 ? undefined : (value ?? undefined);

/** What is right, as a text. */
export const truthIn: Reader<string> = (value) => {
  if (value === undefined || value === null || value === "") return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
};

/** An error in words: a text, or an object with its kind and message. */
export const wordsOfError: Reader<string> = (value) => {
  if (!isObject(value)) return textIn(value);
  const message = textIn(value.error_chain_str) ?? textIn(value.message) ?? textIn(value.error);
  const kind = textIn(value.type);
  if (message === undefined) return kind ?? JSON.stringify(value);
  return kind === undefined ? message : `${kind}: ${message}`;
};
