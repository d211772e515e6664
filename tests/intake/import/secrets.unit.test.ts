import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type ImportOptions, importRecorded } from "../../../intake/import/import-recorded.ts";
import { REDACTED } from "../../../recording/masking/marker.ts";
import type { AtlasEvent } from "../../../schemas/generated/events.ts";
import { isMasked, maskingBy } from "../../../schemas/masked.ts";

const folder = mkdtempSync(join(tmpdir(), "atlas-secrets-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Put together here, so that no scanner takes this file for a leak. */
const key = (...parts: string[]): string => parts.join("");
const mixed = (length: number): string => "aB3dE5gH7".repeat(12).slice(0, length);

/** How a secret stands in a text, and what of it must not be written. */
const FAMILIES: Record<string, [text: string, secret: string]> = {
  OpenAI: [key("sk-", "proj-", mixed(40)), key("sk-", "proj-", mixed(40))],
  Anthropic: [key("sk-", "ant-api03-", mixed(40)), mixed(40)],
  GitHub: [key("gh", "p_", mixed(36)), key("gh", "p_", mixed(36))],
  "AWS access key": [key("AK", "IA", "Q3EGRZJ5TB7XWM2N"), key("AK", "IA", "Q3EGRZJ5TB7XWM2N")],
  "AWS secret key": [key("AWS_SECRET_ACCESS_KEY=", "wJalrX7MDENG"), key("wJalrX", "7MDENG")],
  Google: [key("AI", "za", mixed(35)), key("AI", "za", mixed(35))],
  Slack: [key("xo", "xb-1234567890-", mixed(20)), key("1234567890-", mixed(20))],
  "private key": [
    ["-----BEGIN RSA ", "PRIVATE KEY-----\nMIIEpQ9z\nTk5Qw0zz\n-----END RSA ", "PRIVATE KEY-----"].join(""),
    "MIIEpQ9z",
  ],
  JWT: [key("ey", "JhbGciOiJIUzI1NiJ9.ey", "JzdWIiOiIxMjM0In0.", mixed(30)), "JzdWIiOiIxMjM0In0"],
  "database URL": [key("postgres://app:", "hunter2Pass9", "@db.example:5432/app"), "hunter2Pass9"],
};
const ALL = Object.values(FAMILIES)
  .map(([text]) => text)
  .join("\n");
const SECRETS = Object.entries(FAMILIES).map(([name, [, secret]]) => [name, secret] as const);

/** As tools print files: with numbers before the lines. */
const NUMBERED = ALL.split("\n")
  .map((line, index) => `${String(index + 1).padStart(6)}→${line}`)
  .join("\n");
const ENVIRONMENT = { env: { OPENAI_API_KEY: FAMILIES.OpenAI![0], AWS_SECRET_ACCESS_KEY: SECRETS[4]![1] } };
const path = `/home/dev/${FAMILIES.GitHub![0]}`;
const at = "2026-03-01T09:00:00.000Z";

const CLAUDE = { sessionId: "s", cwd: path, timestamp: at };
const FILES: Record<string, unknown[]> = {
  "claude-code": [
    { ...CLAUDE, type: "user", uuid: "u1", parentUuid: null, message: { role: "user", content: ALL } },
    {
      ...CLAUDE,
      type: "assistant",
      uuid: "a1",
      parentUuid: "u1",
      message: {
        role: "assistant",
        content: [
          { type: "thinking", thinking: ALL },
          { type: "tool_use", id: "t1", name: "Bash", input: { command: `echo '${ALL}'`, ...ENVIRONMENT } },
        ],
      },
    },
    {
      ...CLAUDE,
      type: "user",
      uuid: "r1",
      parentUuid: "a1",
      toolUseResult: { stdout: ALL, file: { content: NUMBERED } },
      message: { role: "user", content: [{ type: "tool_result", tool_use_id: "t1", content: NUMBERED }] },
    },
    { ...CLAUDE, type: "system", subtype: "informational", content: ALL },
    { type: "summary", summary: ALL, leafUuid: "r1" },
    ALL,
  ],
  codex: [
    {
      timestamp: at,
      type: "session_meta",
      payload: { id: "s", cwd: path, instructions: ALL, ...ENVIRONMENT },
    },
    { timestamp: at, type: "turn_context", payload: { model: "m", user_instructions: ALL } },
    {
      timestamp: at,
      type: "response_item",
      payload: { type: "message", role: "user", content: [{ type: "input_text", text: ALL }] },
    },
    {
      timestamp: at,
      type: "response_item",
      payload: {
        type: "function_call",
        call_id: "c1",
        name: "shell",
        arguments: JSON.stringify({ command: ALL }),
      },
    },
    {
      timestamp: at,
      type: "response_item",
      payload: { type: "function_call_output", call_id: "c1", output: JSON.stringify({ output: NUMBERED }) },
    },
    { timestamp: at, type: "event_msg", payload: { type: "exec_command_end", stdout: ALL } },
    { timestamp: at, type: "compacted", payload: { message: ALL, replacement_history: [{ content: ALL }] } },
  ],
  "gemini-cli": [
    {
      sessionId: "s",
      projectHash: "h",
      summary: ALL,
      directories: [path],
      messages: [
        { id: "1", timestamp: at, type: "user", content: [{ text: ALL }] },
        {
          id: "2",
          timestamp: at,
          type: "gemini",
          content: ALL,
          thoughts: [{ subject: "s", description: ALL }],
          toolCalls: [
            {
              id: "t",
              name: "shell",
              args: { command: ALL, ...ENVIRONMENT },
              result: [{ functionResponse: { id: "t", name: "shell", response: { output: NUMBERED } } }],
              resultDisplay: ALL,
            },
          ],
        },
        { id: "3", timestamp: at, type: "info", content: ALL },
      ],
    },
  ],
  pi: [
    { type: "session", id: "s", timestamp: at, cwd: path, ...ENVIRONMENT },
    { type: "message", id: "1", parentId: null, timestamp: at, message: { role: "user", content: ALL } },
    {
      type: "message",
      id: "2",
      parentId: "1",
      timestamp: at,
      message: {
        role: "assistant",
        content: [{ type: "toolCall", id: "t", name: "bash", arguments: { command: ALL, ...ENVIRONMENT } }],
      },
    },
    {
      type: "message",
      id: "3",
      parentId: "2",
      timestamp: at,
      message: {
        role: "toolResult",
        toolCallId: "t",
        content: [{ type: "text", text: NUMBERED }],
        details: ALL,
      },
    },
    { type: "custom", id: "4", parentId: "3", timestamp: at, data: { note: ALL } },
  ],
  "session-trace": [
    { type: "session", harness: "mine", id: "s", name: ALL, ...ENVIRONMENT },
    { type: "message", message: { role: "user", content: ALL } },
    { type: "message", message: { role: "assistant", content: ALL } },
  ],
};

/** What an import into a log without a mask appends, as text. */
async function appendedBy(values: readonly unknown[], options: Partial<ImportOptions> = {}): Promise<string> {
  const file = join(folder, "runs.jsonl");
  writeFileSync(file, values.map((value) => JSON.stringify(value)).join("\n"));
  const events: AtlasEvent[] = [];
  const append = async (given: readonly AtlasEvent[]) => {
    expect(given.every((event) => isMasked(event))).toBe(true);
    for (const event of given) events.push(event);
  };
  const summary = await importRecorded({
    files: [file],
    rulesHash: "rules",
    log: { mask: maskingBy(), append },
    ...options,
  });
  expect(summary).toMatchObject({ sessions: 1, malformed: 0 });
  return JSON.stringify(events);
}

describe("what coding agents recorded is imported without its secrets", () => {
  test.each(Object.entries(FILES))("%s: no secret of any family is in any event", async (_, values) => {
    const written = await appendedBy(values);
    expect(SECRETS.filter(([, secret]) => written.includes(secret)).map(([name]) => name)).toEqual([]);
    expect(written).toContain(REDACTED);
  });

  test.each(Object.entries(FILES))(
    "%s: all are there where somebody asked to keep them",
    async (_, values) => {
      const written = await appendedBy(values, { keepSecrets: true });
      expect(SECRETS.filter(([, secret]) => !written.includes(secret)).map(([name]) => name)).toEqual([]);
    },
  );

  test("the mask of the log works all the same", async () => {
    const mask = maskingBy((event) =>
      event.type === "MessageRecorded" ? { ...event, message: '{"role":"user","content":"mine"}' } : event,
    );
    for (const keepSecrets of [true, false]) {
      const log: ImportOptions["log"] = {
        mask,
        append: async (events) => {
          for (const event of events) taken.push(event);
          return undefined;
        },
      };
      const taken: AtlasEvent[] = [];
      await appendedBy(FILES["session-trace"]!, { keepSecrets });
      await importRecorded({ files: [join(folder, "runs.jsonl")], rulesHash: "rules", log, keepSecrets });
      const messages = taken.flatMap((event) => (event.type === "MessageRecorded" ? [event.message] : []));
      expect(new Set(messages)).toEqual(new Set(['{"role":"user","content":"mine"}']));
    }
  });

  test("rows of chat are what somebody chose to write, and stay as they are", async () => {
    const row = {
      messages: [
        { role: "user", content: ALL },
        { role: "assistant", content: "No." },
      ],
    };
    const written = await appendedBy([row]);
    expect(SECRETS.filter(([, secret]) => !written.includes(secret))).toEqual([]);
  });
});

test("a line that was written by half is told, and the rest is imported", async () => {
  const values = FILES["claude-code"]!;
  const lines = values.map((value) => JSON.stringify(value));
  for (const cut of [0, 1, lines.length - 1]) {
    const file = join(folder, "cut.jsonl");
    writeFileSync(file, lines.map((line, index) => (index === cut ? line.slice(0, 40) : line)).join("\n"));
    const events: AtlasEvent[] = [];
    const log: ImportOptions["log"] = {
      mask: maskingBy(),
      append: async (given) => {
        for (const event of given) events.push(event);
        return undefined;
      },
    };
    const { sessions, malformed, problems } = await importRecorded({
      files: [file],
      rulesHash: "rules",
      log,
    });
    expect({ sessions, malformed }).toEqual({ sessions: 1, malformed: 1 });
    expect(problems[0]!.line).toBe(cut + 1);
    expect(events.filter(({ type }) => type === "MessageRecorded").length).toBe(cut < 2 ? 2 : 3);
  }
});
