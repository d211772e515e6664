import { describe, expect, test } from "vitest";
import { expectAccountedFor, onlySession, readValues } from "./accounts-for.ts";
import { chatLines, messagesOf, metadataOf, taskOf } from "./chat-lines.ts";

type Json = Record<string, unknown>;

const ELSEWHERE = {
  timestamp: "the time of a message",
  type: "what an event is: a message, a call, a result",
};

let seconds = 0;
const at = () => new Date(Date.UTC(2026, 2, 1, 9, 0, seconds++)).toISOString();

const common = {
  isSidechain: false,
  userType: "external",
  cwd: "/home/dev/shop",
  sessionId: "s-main",
  version: "2.1.4",
  gitBranch: "main",
};

const event = (uuid: string, parentUuid: string | null, fields: Json): Json => ({
  parentUuid,
  ...common,
  uuid,
  timestamp: at(),
  ...fields,
});

const user = (uuid: string, parent: string | null, content: unknown, more: Json = {}) =>
  event(uuid, parent, { type: "user", message: { role: "user", content }, ...more });

const assistant = (uuid: string, parent: string | null, id: string, part: Json, more: Json = {}) =>
  event(uuid, parent, {
    type: "assistant",
    requestId: `req-${id}`,
    message: {
      id,
      type: "message",
      role: "assistant",
      model: "claude-test-1",
      content: [part],
      stop_reason: null,
      usage: {
        input_tokens: 3,
        cache_creation_input_tokens: 20,
        cache_read_input_tokens: 100,
        output_tokens: 7,
      },
    },
    ...more,
  });

const text = (said: string) => ({ type: "text", text: said });
const use = (id: string, name: string, input: unknown) => ({ type: "tool_use", id, name, input });
const result = (id: string, content: unknown, more: Json = {}) => [
  { type: "tool_result", tool_use_id: id, content, ...more },
];

/** A session with two calls at once, whose results hang at the lines of their calls. */
const SESSION: Json[] = [
  { type: "file-history-snapshot", messageId: "u1", snapshot: { trackedFileBackups: { "a.ts": 2 } } },
  user("u1", null, "Why does the test fail?", { permissionMode: "default" }),
  assistant("a1", "u1", "m1", { type: "thinking", thinking: "Look at both files.", signature: "c2ln" }),
  assistant("a2", "a1", "m1", text("I read both.")),
  assistant("a3", "a2", "m1", use("t1", "Read", { file_path: "a.ts" })),
  assistant("a4", "a3", "m1", use("t2", "Bash", { command: "npm test" })),
  user("r1", "a3", result("t1", "1\texport {}"), { toolUseResult: { type: "text", numLines: 1 } }),
  user("r2", "a4", result("t2", "exit 1", { is_error: true }), { toolUseResult: "Error: exit 1" }),
  assistant("a5", "r2", "m2", text("The import is missing."), { costUSD: 0.02 }),
  { type: "summary", summary: "A failing test", leafUuid: "a5" },
];

describe("a session of Claude Code", () => {
  test("is one conversation: the lines of an answer are one message, and results stand behind their calls", () => {
    const { events, sessions, notes, formats } = expectAccountedFor(SESSION, ELSEWHERE);
    expect(formats).toEqual(["claude-code"]);
    expect(notes).toEqual([]);
    expect(chatLines(events[0]!)).toEqual([
      "user: Why does the test fail?",
      'assistant: I read both. Read#t1{"file_path":"a.ts"} Bash#t2{"command":"npm test"}',
      "tool #t1: 1\texport {}",
      "tool #t2: exit 1",
      "assistant: The import is missing.",
    ]);
    expect(messagesOf(events[0]!)[1]!.reasoning_content).toBe("Look at both files.");
    expect(sessions[0]!.status).toBe("succeeded");
    expect(taskOf(events[0]!)).toBe("Why does the test fail?");
    expect(metadataOf(events[0]!)).toMatchObject({
      cwd: "/home/dev/shop",
      gitBranch: "main",
      isSidechain: false,
    });
  });

  test("counts an answer once, however many lines it has, with what was cached", () => {
    const ended = readValues(SESSION).events[0]!.find((each) => each.type === "SessionEnded");
    expect(ended).toMatchObject({
      usage: { prompt_tokens: 246, completion_tokens: 14, cached_tokens: 200, calls: 2 },
      cost: 0.02,
    });
  });

  test("names its agent, its id and its times", () => {
    const [started] = readValues(SESSION).events[0]!;
    expect(started).toMatchObject({
      agent: "claude-code",
      external_id: "s-main",
      tools_source: "observed",
      executor_system_prompt: null,
    });
    expect(started!.meta.time_assumed).toBe(false);
  });
});

test("answers that a router gave one id stay apart: by their requests, and by what the user said between", () => {
  const session = onlySession(
    user("u1", null, "One."),
    assistant("a1", "u1", "same", text("First."), { requestId: "r1" }),
    assistant("a2", "a1", "same", text("Second."), { requestId: "r2" }),
    user("u2", "a2", "Two."),
    assistant("a3", "u2", "same", text("Third."), { requestId: "r2" }),
  );
  expect(chatLines(session.events)).toEqual([
    "user: One.",
    "assistant: First.",
    "assistant: Second.",
    "user: Two.",
    "assistant: Third.",
  ]);
});

test("a session of a command alone has that as its task", () => {
  const session = onlySession(
    user("c0", null, "Caveat: The messages below were generated by the user while running local commands.", {
      isMeta: true,
    }),
    user("c1", "c0", "<command-name>/review</command-name>"),
    user("c2", "c1", "Review the change.", { isMeta: true }),
    assistant("a1", "c2", "m1", text("It is good.")),
  );
  expect(taskOf(session.events)).toBe("<command-name>/review</command-name>");
});

describe("what is no word of the user or the model", () => {
  test("is told by the program: summaries, local commands, errors of the API", () => {
    const values = [
      user(
        "c0",
        null,
        "Caveat: The messages below were generated by the user while running local commands.",
        {
          isMeta: true,
        },
      ),
      user("c1", "c0", "<command-name>/model</command-name>"),
      user("c2", "c1", "<local-command-stdout>Set model to opus</local-command-stdout>"),
      user("u1", "c2", "Write a parser."),
      assistant("a1", "u1", "m1", text("Done.")),
      event("b1", null, {
        type: "system",
        subtype: "compact_boundary",
        logicalParentUuid: "a1",
        content: "Conversation compacted",
        compactMetadata: { trigger: "auto", preTokens: 155_000 },
      }),
      user("b2", "b1", "This session is being continued. Summary: a parser was written.", {
        isCompactSummary: true,
        isVisibleInTranscriptOnly: true,
      }),
      user("u2", "b2", "And tests?"),
      assistant("a2", "u2", "m2", text("API Error: 529 Overloaded"), { isApiErrorMessage: true }),
    ];
    const { events, sessions } = expectAccountedFor(values, ELSEWHERE);
    expect(chatLines(events[0]!)).toEqual([
      "system claude-code: Caveat: The messages below were generated by the user while running local commands.",
      "user: <command-name>/model</command-name>",
      "system claude-code: <local-command-stdout>Set model to opus</local-command-stdout>",
      "user: Write a parser.",
      "assistant: Done.",
      "system claude-code: This session is being continued. Summary: a parser was written.",
      "user: And tests?",
      "system claude-code: API Error: 529 Overloaded",
    ]);
    expect(sessions[0]!.status).toBe("failed");
    expect(taskOf(events[0]!)).toBe("Write a parser.");
    const ended = events[0]!.find((each) => each.type === "SessionEnded");
    expect(ended).toMatchObject({ error: "API Error: 529 Overloaded", final_answer: "Done." });
    expect(events[0]![0]).toMatchObject({ executor_system_prompt: null });
  });

  test("a summary in the older shape is one too, and history before it stays", () => {
    const session = readValues([
      user("u1", null, "Begin."),
      assistant("a1", "u1", "m1", text("Begun.")),
      { ...user("s1", "lost", "Summary: begun."), type: "summary" },
      user("u2", "s1", "Go on."),
    ]);
    expect(chatLines(session.events[0]!)).toEqual([
      "user: Begin.",
      "assistant: Begun.",
      "system claude-code: Summary: begun.",
      "user: Go on.",
    ]);
  });

  test("a refused call is answered by the refusal, and a session that was interrupted last is cancelled", () => {
    const refusal = "The user doesn't want to proceed with this tool use.";
    const session = onlySession(
      user("u1", null, "Clean up."),
      assistant("a1", "u1", "m1", use("t1", "Bash", { command: "rm -r build" })),
      user("r1", "a1", result("t1", refusal, { is_error: true }), {
        toolUseResult: "User rejected tool use",
      }),
      user("i1", "r1", [text("[Request interrupted by user for tool use]")]),
    );
    expect(session.status).toBe("cancelled");
    expect(taskOf(session.events)).toBe("Clean up.");
    expect(chatLines(session.events)[2]).toBe(`tool #t1: ${refusal}`);
  });

  test("what the user typed meanwhile comes behind the results that it reached the model with", () => {
    const values = [
      user("u1", null, "Migrate."),
      assistant("a1", "u1", "m1", use("t1", "Bash", { command: "migrate" })),
      { type: "queue-operation", operation: "remove", content: "Only the parser.", sessionId: "s-main" },
      event("q1", "a1", {
        type: "attachment",
        attachment: { type: "queued_command", prompt: "And its tests.", commandMode: "prompt" },
      }),
      event("q2", "q1", {
        type: "attachment",
        attachment: {
          type: "queued_command",
          prompt: "<task-notification>build done</task-notification>",
          commandMode: "task-notification",
        },
      }),
      user("r1", "q2", result("t1", "ok")),
      assistant("a2", "r1", "m2", text("Parser and tests.")),
    ];
    const { events } = expectAccountedFor(values, ELSEWHERE);
    expect(chatLines(events[0]!)).toEqual([
      "user: Migrate.",
      'assistant:  Bash#t1{"command":"migrate"}',
      "tool #t1: ok",
      "user: Only the parser.",
      "user: And its tests.",
      "system claude-code: <task-notification>build done</task-notification>",
      "assistant: Parser and tests.",
    ]);
  });
});

describe("branches and sub-agents", () => {
  test("the path to the last message is the conversation; what the user left is told and kept", () => {
    const values = [
      user("u1", null, "Sort it."),
      assistant("a1", "u1", "m1", text("Which way?")),
      user("u2", "a1", "Quicksort."),
      assistant("a2", "u2", "m2", text("Quick it is.")),
      user("u3", "a1", "Mergesort."),
      assistant("a3", "u3", "m3", text("Merge it is.")),
    ];
    const { events, notes } = expectAccountedFor(values, ELSEWHERE);
    expect(chatLines(events[0]!)).toEqual([
      "user: Sort it.",
      "assistant: Which way?",
      "user: Mergesort.",
      "assistant: Merge it is.",
    ]);
    expect(notes).toEqual(["2 messages of branches that the user left: kept with the metadata"]);
    expect(metadataOf(events[0]!).branches).toHaveLength(2);
  });

  test("the very first message may have been edited as well", () => {
    const session = onlySession(
      user("u1", null, "Sort it."),
      assistant("a1", "u1", "m1", text("How?")),
      user("u2", null, "Sort it by name."),
      assistant("a2", "u2", "m2", text("Sorted.")),
    );
    expect(chatLines(session.events)).toEqual(["user: Sort it by name.", "assistant: Sorted."]);
  });

  test("a log without a tree is read in its order", () => {
    const session = onlySession(
      user("u1", null, "One."),
      assistant("a1", null, "m1", text("First.")),
      user("u2", null, "Two."),
    );
    expect(chatLines(session.events)).toEqual(["user: One.", "assistant: First.", "user: Two."]);
  });

  test("a sub-agent is a session of its own that names its parent, in the same file and in its own", () => {
    const side = { isSidechain: true, agentId: "ab12" };
    const values = [
      user("u1", null, "Survey the code."),
      assistant("a1", "u1", "m1", use("t1", "Task", { prompt: "List modules.", subagent_type: "explore" })),
      user("x1", null, "List modules.", side),
      assistant("x2", "x1", "m9", use("t9", "Glob", { pattern: "*" }), side),
      user("r1", "a1", result("t1", [text("web, jobs")]), {
        toolUseResult: { agentId: "ab12", status: "completed" },
      }),
      user("x3", "x2", result("t9", "web\njobs"), side),
      assistant("x4", "x3", "m10", text("web, jobs"), side),
      assistant("a2", "r1", "m2", text("Two modules.")),
    ];
    const { events } = expectAccountedFor(values, ELSEWHERE);
    expect(events.map(chatLines)).toEqual([
      [
        "user: Survey the code.",
        'assistant:  Task#t1{"prompt":"List modules.","subagent_type":"explore"}',
        "tool #t1: web, jobs",
        "assistant: Two modules.",
      ],
      [
        "user: List modules.",
        'assistant:  Glob#t9{"pattern":"*"}',
        "tool #t9: web\njobs",
        "assistant: web, jobs",
      ],
    ]);
    expect(events[1]![0]).toMatchObject({ external_id: "s-main/ab12", tags: ["sub-agent"] });
    expect(metadataOf(events[1]!)).toMatchObject({ parent_session: "s-main", begun_by: "t1" });
    const alone = readValues(values.filter((each) => (each as Json).agentId === "ab12"));
    expect(alone.events.map(chatLines)).toEqual([chatLines(events[1]!)]);
    expect(alone.events[0]![0]).toMatchObject({ external_id: "s-main/ab12" });
  });

  test("a sub-agent whose prompt is not there has the one that its parent gave it", () => {
    const side = { isSidechain: true };
    const { events } = readValues([
      assistant("a1", "gone", "m1", use("t1", "Task", { prompt: "Find the colour." })),
      user("r1", "a1", result("t1", "blue"), { agentId: "cd34" }),
      assistant("x1", null, "m9", text("I look."), side),
      user("x2", "elsewhere", result("t8", "blue"), { ...side, agentId: "cd34" }),
    ]);
    expect(events).toHaveLength(2);
    expect(taskOf(events[1]!)).toBe("Find the colour.");
    expect(chatLines(events[1]!)).toEqual(["assistant: I look.", "tool #t8: blue"]);
  });

  test("several sessions of a file are apart, but for one that goes on from another", () => {
    const other = { sessionId: "s-other" };
    const { events } = readValues([
      user("u1", null, "One."),
      assistant("a1", "u1", "m1", text("First.")),
      user("v1", null, "Apart.", { sessionId: "s-apart" }),
      user("u2", "a1", "Resumed.", other),
      assistant("a2", "u2", "m2", text("Again."), other),
    ]);
    expect(events.map(chatLines)).toEqual([
      ["user: One.", "assistant: First.", "user: Resumed.", "assistant: Again."],
      ["user: Apart."],
    ]);
    expect(JSON.stringify(events[0])).toContain("s-other");
  });

  test("lines that a resumed session repeats count once", () => {
    const first = [user("u1", null, "One."), assistant("a1", "u1", "m1", text("First."))];
    const values = [
      ...first,
      ...first.map((each) => ({ ...each, sessionId: "s-new" })),
      user("u2", "a1", "Two.", { sessionId: "s-new" }),
    ];
    const { events, notes } = expectAccountedFor(values, ELSEWHERE);
    expect(chatLines(events[0]!)).toEqual(["user: One.", "assistant: First.", "user: Two."]);
    expect(notes).toEqual(["2 lines repeated by a resumed session: counted once"]);
  });
});

describe("other shapes", () => {
  test("images stay parts, and parts that nothing is known of stay", () => {
    const source = { type: "base64", media_type: "image/png", data: "iVBORw0K" };
    const session = onlySession(
      user("u1", null, [text("What is it?"), { type: "image", source }]),
      assistant("a1", "u1", "m1", text("A logo.")),
    );
    expect(messagesOf(session.events)[0]!.content).toEqual([
      text("What is it?"),
      { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0K" } },
    ]);
  });

  test("what `--output-format stream-json` prints, with its result", () => {
    const session_id = "stream-1";
    const message = { id: "m1", type: "message", role: "assistant", model: "claude-test-1" };
    const values = [
      { type: "system", subtype: "init", session_id, cwd: "/w", tools: ["Bash"], model: "claude-test-1" },
      { type: "user", message: { role: "user", content: "Say hi." }, parent_tool_use_id: null, session_id },
      {
        type: "assistant",
        message: { ...message, content: [text("hi")] },
        parent_tool_use_id: null,
        session_id,
      },
      {
        type: "result",
        subtype: "error_max_turns",
        is_error: true,
        num_turns: 9,
        total_cost_usd: 0.25,
        session_id,
      },
    ];
    const { events, sessions } = expectAccountedFor(values, ELSEWHERE);
    expect(chatLines(events[0]!)).toEqual(["user: Say hi.", "assistant: hi"]);
    expect(sessions[0]!.status).toBe("failed");
    expect(events[0]!.find((each) => each.type === "SessionEnded")).toMatchObject({
      cost: 0.25,
      error: "error_max_turns",
    });
  });

  test("an export of a web session keeps its lines in one object", () => {
    const values = [
      {
        title: "Hello",
        loglines: [
          { type: "user", timestamp: at(), message: { role: "user", content: "Hello." } },
          { type: "assistant", timestamp: at(), message: { role: "assistant", content: [text("Hello!")] } },
        ],
      },
    ];
    const { events } = expectAccountedFor(values, ELSEWHERE);
    expect(chatLines(events[0]!)).toEqual(["user: Hello.", "assistant: Hello!"]);
  });

  test("lines that are no events, and messages that cannot be read, are told and kept", () => {
    const values = [
      user("u1", null, "Hello."),
      assistant("a1", "u1", "m1", text("Hello!")),
      "noise",
      42,
      { silly: "this" },
      { ...user("u2", "a1", "x"), message: "not an object" },
    ];
    const { notes, events } = expectAccountedFor(values, ELSEWHERE);
    expect(notes).toEqual([
      "3 lines without an event of Claude Code: kept with the metadata",
      "a message cannot be read (no content): it is kept with the metadata",
    ]);
    expect(chatLines(events[0]!)).toEqual(["user: Hello.", "assistant: Hello!"]);
  });

  test("a file without a message says so in one sentence", () => {
    const { problems, sessions } = readValues([
      { type: "summary", summary: "Titles only", leafUuid: "x" },
      { type: "summary", summary: "And another", leafUuid: "y" },
    ]);
    expect(sessions).toEqual([]);
    expect(problems).toEqual(["no message of a user or of Claude is in it; found 2 events"]);
  });

  test("rows of chat messages are not taken for events", () => {
    expect(readValues([{ messages: [{ role: "user", content: "x" }], id: "1" }]).formats).toEqual(["chat"]);
  });
});
