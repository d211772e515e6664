import { describe, expect, test } from "vitest";
import { expectAccountedFor, readValues } from "./accounts-for.ts";
import { chatLines, messagesOf, metadataOf } from "./chat-lines.ts";

type Json = Record<string, unknown>;

const ELSEWHERE = {
  timestamp: "the time of a message",
  startTime: "the start",
  lastUpdated: "the end",
  type: "who a message is from",
};

const HEADER = {
  sessionId: "g-1",
  projectHash: "9f3c",
  startTime: "2026-03-01T09:00:00.000Z",
  lastUpdated: "2026-03-01T09:05:00.000Z",
  kind: "main",
};
let seconds = 0;
const said = (type: string, content: unknown, more: Json = {}): Json => {
  seconds += 1;
  const timestamp = new Date(Date.UTC(2026, 2, 1, 9, 0, seconds)).toISOString();
  return { id: `m${seconds}`, timestamp, type, content, ...more };
};
const answered = (response: Json) => [{ functionResponse: { id: "t1", name: "read_file", response } }];
const called = (more: Json): Json => ({
  id: "t1",
  name: "read_file",
  args: { path: "a.json" },
  status: "success",
  timestamp: "2026-03-01T09:00:30.000Z",
  displayName: "ReadFile",
  ...more,
});

const MESSAGES = [
  said("info", "Welcome."),
  said("user", [{ text: "Read it." }]),
  said("gemini", "I read it.", {
    model: "gemini-test",
    thoughts: [
      { subject: "Reading", description: "The file is small.", timestamp: "2026-03-01T09:00:02.500Z" },
    ],
    tokens: { input: 100, output: 20, cached: 10, thoughts: 5, tool: 7, total: 132 },
    toolCalls: [called({ result: answered({ output: '{"a":1}' }), resultDisplay: "Read 1 line" })],
  }),
  said("user", "And write?"),
  said("gemini", "", {
    toolCalls: [
      called({ id: "t2", name: "write_file", status: "cancelled", resultDisplay: { fileDiff: "+a" } }),
      called({ id: "t3", name: "write_file", status: "error", error: "disk full" }),
    ],
  }),
  said("error", "quota exceeded"),
];

describe("a chat of Gemini CLI", () => {
  test("is one object: thoughts, calls and their results, tokens, and how it ended", () => {
    const { events, formats, sessions } = expectAccountedFor([{ ...HEADER, messages: MESSAGES }], ELSEWHERE);
    expect(formats).toEqual(["gemini-cli"]);
    expect(chatLines(events[0]!)).toEqual([
      "user: Read it.",
      'assistant: I read it. read_file#t1{"path":"a.json"}',
      'tool #t1: {"a":1}',
      "user: And write?",
      'assistant:  write_file#t2{"path":"a.json"} write_file#t3{"path":"a.json"}',
      "tool #t3: disk full",
    ]);
    expect(messagesOf(events[0]!)[1]!.reasoning_content).toBe("Reading\nThe file is small.");
    expect(events[0]![0]).toMatchObject({ agent: "gemini-cli", external_id: "g-1" });
    expect(sessions[0]!.status).toBe("failed");
    expect(events[0]!.find((event) => event.type === "SessionEnded")).toMatchObject({
      error: "quota exceeded",
      usage: {
        prompt_tokens: 107,
        completion_tokens: 25,
        total_tokens: 132,
        reasoning_tokens: 5,
        cached_tokens: 10,
      },
    });
    expect(metadataOf(events[0]!)).toMatchObject({ projectHash: "9f3c", model: "gemini-test" });
  });

  test("is the same line by line: messages that are written again, changes of the header, and steps back", () => {
    const [, asked, answer] = MESSAGES as [Json, Json, Json];
    const half = { ...answer, content: "", toolCalls: [], tokens: null };
    const wrong = said("user", "Wrong.");
    const values = [
      HEADER,
      asked,
      half,
      answer,
      { $set: { summary: "Reading", lastUpdated: "2026-03-01T09:06:00.000Z" } },
      wrong,
      { $rewindTo: wrong.id },
      said("user", "Thanks."),
    ];
    const { events, notes } = expectAccountedFor(values, ELSEWHERE);
    expect(chatLines(events[0]!)).toEqual([
      "user: Read it.",
      'assistant: I read it. read_file#t1{"path":"a.json"}',
      'tool #t1: {"a":1}',
      "user: Thanks.",
    ]);
    expect(notes).toEqual(["1 message that the user went back from: kept with the metadata"]);
    expect(metadataOf(events[0]!)).toMatchObject({ summary: "Reading", rewound: [{ content: "Wrong." }] });
  });

  test("results of several parts keep them, images too", () => {
    const inlineData = { mimeType: "image/png", data: "iVBORw0K" };
    const result = [...answered({ output: "a picture", size: 3 }), { inlineData }];
    const { events } = expectAccountedFor(
      [
        {
          ...HEADER,
          messages: [said("user", "Look."), said("gemini", "", { toolCalls: [called({ result })] })],
        },
      ],
      { ...ELSEWHERE, mimeType: "in the address of the image", data: "in the address of the image" },
    );
    expect(messagesOf(events[0]!)[2]!.content).toEqual([
      { type: "text", text: '{"output":"a picture","size":3}' },
      { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0K" } },
    ]);
  });
});

describe("the log of prompts", () => {
  test("is a conversation for each session that it names", () => {
    const logged = (sessionId: string, messageId: number, type: string, message: string) => ({
      sessionId,
      messageId,
      type,
      message,
      timestamp: "2026-03-01T09:00:00.000Z",
    });
    const { events } = expectAccountedFor(
      [logged("a", 0, "user", "Hi."), logged("b", 0, "user", "Yo."), logged("a", 1, "gemini", "Hello.")],
      ELSEWHERE,
    );
    expect(events.map(chatLines)).toEqual([["user: Hi.", "assistant: Hello."], ["user: Yo."]]);
  });
});

describe("what is no chat", () => {
  test("is told in one sentence", () => {
    expect(readValues([{ ...HEADER, messages: [] }]).problems).toEqual([
      "no message of a user or of Gemini is in it; found 1 chat",
    ]);
    const { notes } = readValues([HEADER, said("user", "Hi."), "noise"]);
    expect(notes).toEqual(["1 value without a message of Gemini CLI: kept with the metadata"]);
  });

  test("rows of chat messages are left to their format", () => {
    const row = { id: "1", messages: [{ role: "user", content: "Hi." }], sessionId: "x" };
    expect(readValues([row]).formats).toEqual(["chat"]);
  });
});
