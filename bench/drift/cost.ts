import { assessed, type BenchSession } from "./atlas-rule.ts";
import { sessionsOf } from "./measure.ts";
import { STEADY } from "./streams.ts";

const SESSIONS = 2000;
const MODELS = 4;

/** What an assessment costs, and what a key's state weighs, as Markdown. */
export function costOf(): string {
  const [normal] = STEADY;
  const sessions = sessionsOf(normal!, 0, SESSIONS);
  const mixed: BenchSession[] = sessions.map((session, index) => ({
    ...session,
    model: `model ${index % MODELS}`,
  }));
  assessed("warm", sessions.slice(0, 200));
  const rows = [
    ["one cohort", sessions],
    [`${MODELS} models in turn`, mixed],
  ] as const;
  const lines = rows.map(([name, list]) => {
    const { cpuSeconds, stateBytes } = assessed(name, list);
    const rate = Math.round(list.length / cpuSeconds / 100) * 100;
    return `| ${name} | ${rate.toLocaleString("en")} | ${Math.round(stateBytes / 1000)} kB |`;
  });
  return ["| a learning key with | sessions a second of CPU | state |", "| --- | --: | --: |", ...lines].join(
    "\n",
  );
}
