// An agent that makes the same tool call again and again is stuck: say so at the fifth call in a row.

import { defineEvent, defineProcessor, derive, ofType, scanState } from "atlas-sdk/processors";
import { filter, map } from "rxjs";
import { z } from "zod";

const IN_A_ROW = 5;

export const loopFound = defineEvent({
  type: "acme.LoopFound",
  topic: "acme.loops",
  zod: z.object({ tool: z.string(), arguments: z.string(), times: z.int() }),
});

interface Run {
  tool: string;
  arguments: string;
  times: number;
}

export const loopDetection = defineProcessor({
  name: "loop-detection",
  version: 1,
  facts: ["ToolCallStarted", "SessionEnded"],
  emits: [loopFound],
  key: ({ meta }) => meta.session_id ?? "",
  pipe: (facts$) =>
    facts$.pipe(
      ofType("ToolCallStarted"),
      scanState(
        (run: Run, { name, arguments: given }) => {
          const isSame = run.tool === name && run.arguments === given;
          return { tool: name, arguments: given, times: isSame ? run.times + 1 : 1 };
        },
        { tool: "", arguments: "", times: 0 },
      ),
      filter(({ times }) => times === IN_A_ROW),
      map((run) => derive(loopFound, run)),
    ),
  ends: ({ type }) => type === "SessionEnded",
});
