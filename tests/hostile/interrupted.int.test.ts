import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openAtlas } from "../../app/open-atlas.ts";
import { startAtlas, userFolder } from "../cli/from-source.ts";
import { startModelServer } from "../models/model-server.ts";
import { planningStudent, reviewingTeacher } from "../producers/lanes.ts";
import { checkSession } from "../producers/session-checks.ts";
import { only } from "../recording/memory-log.ts";
import { sessionsOf } from "./hostile-run.ts";

const STEPS = [
  { id: 1, description: "quick" },
  { id: 2, description: "endless", depends_on: [1] },
  { id: 3, description: "endless", depends_on: [1] },
  { id: 4, description: "never", depends_on: [2] },
];

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s in the middle of two steps: the log has what was done, what was cut off and what was not begun",
  async (signal) => {
    const folder = userFolder();
    let endless = 0;
    const both = Promise.withResolvers<void>();
    const student = planningStudent(STEPS, (step) => {
      if (step !== "endless") return `did ${step}`;
      endless += 1;
      if (endless === 2) both.resolve();
      return new Promise(() => {});
    });
    const teacher = reviewingTeacher();
    await using server = await startModelServer((request, response) =>
      (request.body["model"] === "student" ? student : teacher)(request, response),
    );
    writeFileSync(
      join(folder, "atlas.yaml"),
      `agent: {type: openai, name: tested, model: student, base_url: "${server.url}"}
teacher: {model: teacher, base_url: "${server.url}"}
judge: {model: judge, base_url: "${server.url}"}
lane: {forced: coach}
`,
    );
    const { child, ended } = startAtlas(folder, ["run", "--task", "t", "--config", "atlas.yaml", "--quiet"]);
    await Promise.race([both.promise, ended]);
    child.kill(signal);
    const { code, stderr } = await ended;
    expect(code, stderr).toBe(130);

    await using atlas = await openAtlas(
      { log: { kind: "embedded", path: join(folder, ".atlas") } },
      { consumers: false },
    );
    const [events] = [...(await sessionsOf(atlas.log)).values()];
    checkSession(events!);
    expect(
      only(events!, "StepEnded")
        .map(({ step_id, status }) => [step_id, status])
        .sort(),
    ).toEqual([
      [1, "succeeded"],
      [2, "cancelled"],
      [3, "cancelled"],
    ]);
    expect(only(events!, "StepSkipped").map(({ step_id }) => step_id)).toEqual([4]);
    const cut = only(events!, "ModelCallEnded").filter(({ error }) => error !== null);
    expect(cut.map(({ step_id, role }) => [step_id, role]).sort()).toEqual([
      [2, "student"],
      [3, "student"],
    ]);
    for (const { error } of cut) expect(error).toMatch(/^ATLAS_CANCELLED/);
    expect(only(events!, "SessionEnded")).toMatchObject([
      { status: "cancelled", final_answer: "Step 1: quick\n\ndid quick" },
    ]);
    expect(only(events!, "SessionJudged")[0]).toMatchObject({ judgements: [], missing: ["session_reward"] });
  },
);
