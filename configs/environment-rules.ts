/** Which environment variable overrides a guardrail of drift. */
export const DRIFT_VARIABLES: Record<string, string> = {
  window: "ATLAS_DRIFT_WINDOW",
  threshold: "ATLAS_DRIFT_Z_THRESHOLD",
  min_baseline: "ATLAS_DRIFT_MIN_BASELINE",
};

/** The guardrails of drift that the environment sets. What is no number stays a text, for the schema to refuse. */
export function driftOfEnvironment(env: NodeJS.ProcessEnv): Record<string, unknown> {
  const set: Record<string, unknown> = {};
  for (const [key, variable] of Object.entries(DRIFT_VARIABLES)) {
    const text = env[variable]?.trim();
    if (text) set[key] = Number.isFinite(Number(text)) ? Number(text) : text;
  }
  return set;
}

const isOff = (value: string): boolean => ["0", "false", "off"].includes(value.toLowerCase());

/** Variables of the Python SDK that have no effect, when that matters, and what is so instead. */
const WITHOUT_EFFECT: readonly [name: string, matters: (value: string) => boolean, words: string][] = [
  ["ATLAS_FAKE_LLM", (value) => !isOff(value), "has no effect: set ATLAS_OFFLINE_MODE"],
  ["ATLAS_DRIFT_ENABLED", isOff, "has no effect: drift is always assessed, and stops nothing"],
  ["ATLAS_SKIP_VALIDATION", (value) => !isOff(value), "has no effect: no agent waits for a validation"],
  ["ATLAS_DISCOVERY_VALIDATE", (value) => !isOff(value), "has no effect: it guards factories in Python"],
];

/** What the environment asks for in vain. */
export const environmentWarnings = (env: NodeJS.ProcessEnv): string[] =>
  WITHOUT_EFFECT.flatMap(([name, matters, words]) => {
    const value = env[name];
    return value && matters(value) ? [`${name} ${words}`] : [];
  });
