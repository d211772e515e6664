import type { Draft } from "./python-draft.ts";
import { moveLlm } from "./python-llm.ts";

/** The one judge that a session has there, whatever the file names. */
const ONLY = "session_reward";
/** Judges of those names that the package has prompts for. */
const KNOWN = [ONLY, "process", "helpfulness", "efficiency"];

const isBlock = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Who is asked: the judges that the file names, each switched on or off, else the one that sessions have there. */
function namesOf(draft: Draft): { name: string; enabled: boolean }[] {
  const active = draft.take(["rim", "active_judges"]);
  const named = isBlock(active) ? Object.entries(active) : [];
  for (const [name] of named)
    if (!KNOWN.includes(name))
      draft.warnings.push({
        path: ["rim", "active_judges", name],
        words: "does not apply: a judge of that name needs a prompt, in judges.list",
      });
  const known = named.filter(([name]) => KNOWN.includes(name));
  const judges = known.map(([name, on]) => ({ name, enabled: on !== false }));
  return judges.some(({ enabled }) => enabled) ? judges : [{ name: ONLY, enabled: true }];
}

/** Turns `rim`, which says who scores sessions there, into `judges`. */
export function moveJudges(draft: Draft): void {
  const rim = draft.get(["rim"]);
  if (!isBlock(rim)) return;
  for (const [from, to] of [
    ["small_model", "small_model"],
    ["large_model", "large_model"],
  ] as const)
    if (isBlock(rim[from]))
      draft.set(["judges", to, "provider"], moveLlm(draft, ["rim", from], ["judges", to]));
  for (const [from, to] of [
    ["variance_threshold", "spread_threshold"],
    ["uncertainty_threshold", "uncertainty_threshold"],
    ["parallel_workers", "parallel"],
  ] as const)
    draft.move(["rim", from], ["judges", to]);
  if (draft.get(["judges", "list"]) === undefined) {
    const names = namesOf(draft);
    const focus = draft.take(["rim", "judge_prompt"]);
    const minded = typeof focus === "string" && focus.trim() !== "" ? { focus } : {};
    draft.set(
      ["judges", "list"],
      names.map((judge) => ({ ...judge, ...minded })),
    );
  }
  draft.close(["rim"], ["judges"]);
}
