import { describe, expect, test } from "vitest";
import { expectAccountedFor, onlySession, readValues } from "./accounts-for.ts";
import { chatLines, metadataOf, taskOf } from "./chat-lines.ts";
import { assistant, ELSEWHERE, type Json, result, text, use, user } from "./claude-code-lines.ts";

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
