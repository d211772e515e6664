/** The environment variable that overrides how many earlier sessions a probe is shown. */
export const HISTORY_VARIABLE = "ATLAS_LEARNING_HISTORY_LIMIT";

/** What the environment says about it. What is no number stays a text, for the schema to refuse. */
export function historyLimitOfEnvironment(env: NodeJS.ProcessEnv): number | string | undefined {
  const text = env[HISTORY_VARIABLE]?.trim();
  if (!text) return undefined;
  return Number.isFinite(Number(text)) ? Number(text) : text;
}
