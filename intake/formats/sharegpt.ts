import { isObject } from "../../traces/clean-text.ts";
import { isMessageList } from "../chat/read-messages.ts";
import { Fields, listIn, textIn } from "./fields.ts";
import type { Format } from "./format.ts";
import { answersIn, takeAsked, trainingConversation, trainingMessages } from "./training-rows.ts";

/** Conversations of turns that say who they are from. */
export const shareGpt: Format = {
  name: "sharegpt",
  translation: 1,
  about: "ShareGPT's conversations of from and value, also with Hermes' calls in tags",
  recognizes: (value) =>
    isObject(value) &&
    (listIn(value.conversations) !== undefined || isMessageList(listIn(value.conversation))),
  read: ([value], context) => {
    if (!isObject(value)) return "it is not an object with conversations";
    const row = new Fields(value);
    const turns = takeAsked(row) ?? [];
    if (turns.length === 0) return "conversations is empty";
    const messages = trainingMessages(turns);
    if (typeof messages === "string") return messages;
    return [trainingConversation(row, messages, context)];
  },
};

const ANSWERS = ["output", "response"];

/** Rows of an instruction, what it is about, and an answer. */
export const alpaca: Format = {
  name: "alpaca",
  translation: 1,
  about: "Alpaca's rows of instruction, input and output",
  recognizes: (value) =>
    isObject(value) &&
    (textIn(value.instruction) ?? textIn(value.input)) !== undefined &&
    typeof value.instruction === "string" &&
    ANSWERS.some((name) => answersIn(value[name]) !== undefined),
  read: ([value], context) => {
    if (!isObject(value)) return "it is not an object with an instruction";
    const row = new Fields(value);
    const asked = takeAsked(row);
    if (asked === undefined) return "instruction is not a text";
    const name = ANSWERS.find((each) => row.isLeft(each));
    const answer = name === undefined ? undefined : row.take(name, answersIn);
    if (answer === undefined) return "output is missing";
    const messages = trainingMessages([...asked, ...answer]);
    if (typeof messages === "string") return messages;
    return [trainingConversation(row, messages, context)];
  },
};
