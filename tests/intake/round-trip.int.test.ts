import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type ImportOptions, importRecorded } from "../../intake/import/import-recorded.ts";
import { createEvent } from "../../schemas/codec.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { idOf } from "../../schemas/identity.ts";
import { alreadyMasked } from "../../schemas/masked.ts";
import { sourceOf } from "../../schemas/sources.ts";
import { TRAINER_FORMATS } from "../../sinks/formats/formats.ts";
import type { RecordFormat } from "../../sinks/formats/record-format.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import { approveAll, exportedFrom, folderForTest, opened } from "../app/opened.ts";
import { traceOf } from "../sinks/formats/format-sessions.ts";
import { RULES, sessionWriter, wholeSession } from "../traces/sessions.ts";

const tool = {
  type: "function",
  function: {
    name: "stock",
    description: "How many.",
    parameters: { type: "object", properties: { item: { type: "string" } } },
  },
};

/** Recorded conversations: with tools, of one group, and one that is longer than an event may be. */
const rows = [
  {
    id: "bolts",
    reward: 0.5,
    tools: [tool],
    created_at: "2026-01-02T10:00:00Z",
    metadata: { agent: "clerk", learning_key: "shop", tags: ["x"], group_id: "g", shelf: 4 },
    messages: [
      { role: "system", content: "You keep a shop." },
      { role: "user", content: "How many bolts?" },
      {
        role: "assistant",
        content: null,
        tool_calls: [
          { id: "c1", type: "function", function: { name: "stock", arguments: '{"item":"bolt"}' } },
        ],
      },
      { role: "tool", tool_call_id: "c1", content: "7" },
      { role: "assistant", content: "Seven." },
    ],
  },
  {
    id: "nuts",
    reward: 1,
    metadata: { agent: "clerk", learning_key: "shop", group_id: "g" },
    messages: [
      { role: "user", content: `How many nuts? ${"漢字 ".repeat(40_000)}` },
      { role: "assistant", content: "None.\u2028\u0000" },
    ],
  },
];

/** A run whose judges said their word later, and from a process of their own. */
function judgedLater(): AtlasEvent[] {
  const { id, events, emit } = sessionWriter("judged later");
  emit("SessionStarted", { task: "2 + 2?", learning_key: "sums", agent: "x", group_id: "sums", rollout: 1 });
  emit("StepStarted", { step_id: 1, description: "Add." });
  emit("AttemptStarted", { step_id: 1, attempt: 1 });
  emit("AttemptEnded", { step_id: 1, attempt: 1, status: "completed", output: "4" });
  emit("StepEnded", { step_id: 1, status: "succeeded", attempts: 1, output: "4" });
  emit("SessionEnded", { learning_key: "sums", status: "succeeded", final_answer: "4" });
  const source = sourceOf("judges", id);
  const meta = (sequence: number) => ({
    event_id: idOf(source, sequence),
    session_id: id,
    source,
    sequence,
    occurred_at: 1_700_000_100_000_000 + sequence,
    time_assumed: false,
  });
  const judgement = createEvent("JudgementMade", meta(1), { judge: "outcome", stage: "sample", score: 0.75 });
  const judgements = [judgement.meta.event_id];
  return [
    ...events,
    judgement,
    createEvent("SessionJudged", meta(2), { learning_key: "sums", judgements, rules_hash: RULES }),
  ];
}

const runs = (): AtlasEvent[] => [...wholeSession("counted"), ...judgedLater()];

const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "");

const formats = TRAINER_FORMATS.filter((format): format is RecordFormat => "records" in format);

/** What a trainer's format writes of sessions. */
const recordsOf = ({ encode }: RecordFormat, traces: readonly SessionTrace[]): Record<string, unknown>[] =>
  traces.flatMap(encode).map((line) => JSON.parse(line) as Record<string, unknown>);

/** The sessions that a file comes to, without a log that holds them. */
async function tracesIn(file: string): Promise<SessionTrace[]> {
  const events: AtlasEvent[] = [];
  const append = async (some: readonly AtlasEvent[]): Promise<undefined> => {
    for (const each of some) events.push(each);
    return undefined;
  };
  const log = { mask: alreadyMasked, append } as unknown as ImportOptions["log"];
  const { problems } = await importRecorded({ files: [file], log, rulesHash: RULES });
  expect(problems).toEqual([]);
  return [...Map.groupBy(events, ({ meta }) => meta.session_id).values()].map((own) =>
    traceOf(
      own,
      own.some(({ type }) => type === "JudgementMade"),
    ),
  );
}

const bySession = (line: string): string =>
  (JSON.parse(line) as { session_metadata: { session_id: string } }).session_metadata.session_id;

/** Names of sessions and steps are those of the log that they are in. */
const withoutIds = ({ session_id, step_id, ...record }: Record<string, unknown>) => record;

const sorted = (records: readonly Record<string, unknown>[]): string[] =>
  records.map((record) => JSON.stringify(withoutIds(record))).sort();

const fileOf = (name: string, values: readonly unknown[]): string => {
  const file = join(folderForTest(), name);
  writeFileSync(
    file,
    values.map((value) => (typeof value === "string" ? value : JSON.stringify(value))).join("\n"),
  );
  return file;
};

test("the lines of an export come back as the very same sessions", async () => {
  const first = await opened(folderForTest());
  await first.sessions.import({ files: [fileOf("runs.jsonl", rows)] });
  await first.log.append(runs().map(alreadyMasked));
  await approveAll(first);
  const exported = lines(await exportedFrom(first));
  expect(exported).toHaveLength(4);

  const second = await opened(folderForTest());
  const files = [fileOf("lines.jsonl", exported)];
  expect(await second.sessions.import({ files })).toMatchObject({ sessions: 4, malformed: 0 });
  expect(await second.sessions.import({ files })).toMatchObject({
    sessions: 0,
    skippedSessions: 4,
    events: 0,
  });
  expect(await first.sessions.import({ files })).toMatchObject({
    sessions: 0,
    skippedSessions: 4,
    events: 0,
  });
  await approveAll(second);
  const again = lines(await exportedFrom(second));
  expect(again.map(bySession).sort()).toEqual(exported.map(bySession).sort());
  for (const line of exported)
    expect(JSON.parse(again.find((other) => bySession(other) === bySession(line))!)).toEqual(
      JSON.parse(line),
    );
});

test.each(["openai-chat", "trl-messages", "trl-prompt-completion", "trl-rollouts"])(
  "the records of %s come back as sessions that give the same records",
  async (name) => {
    const format = formats.find((each) => each.name === name)!;
    const recorded = await tracesIn(fileOf("runs.jsonl", rows));
    const ran = [...Map.groupBy(runs(), ({ meta }) => meta.session_id).values()].map((own) => traceOf(own));
    const records = recordsOf(format, [...recorded, ...ran]);
    expect(records.length).toBeGreaterThan(2);
    const imported = await tracesIn(fileOf("records.jsonl", records));
    const again = sorted(recordsOf(format, imported));
    // Compared one by one: the longest of them would fill the screen.
    for (const [at, record] of sorted(records).entries())
      expect(again[at] === record, record.slice(0, 500)).toBe(true);
    expect(again).toHaveLength(records.length);
  },
);
