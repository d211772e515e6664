import type { Draft } from "./python-draft.ts";

type Path = readonly string[];

/** What the Python SDK's model library makes of the part of a model's name before the slash. */
const PREFIXES: Record<string, string> = {
  openai: "openai",
  anthropic: "anthropic",
  gemini: "gemini",
  google: "gemini",
  xai: "xai",
  azure: "azure-openai",
  bedrock: "bedrock",
};

const XAI = { baseUrl: "https://api.x.ai/v1", keyVariable: "XAI_API_KEY" };

const SAME = ["model", "api_key_env", "temperature", "top_p", "max_output_tokens", "timeout_seconds"];

const GONE: Record<string, string> = {
  organization: "is not sent: a key belongs to an organization already",
  additional_headers: "are not sent",
};

/** Azure's address is that of a resource; what speaks OpenAI's API is below it. */
function azureUrl(base: unknown): unknown {
  if (typeof base !== "string" || !URL.canParse(base)) return base;
  const url = new URL(base);
  return url.pathname === "/" ? `${url.origin}/openai/v1` : base;
}

/**
 * Moves a block that describes a model to where this SDK has it, and returns its provider. One that cannot be spoken
 * to stays as it is written, for the schema to refuse.
 */
export function moveLlm(draft: Draft, from: Path, to: Path): string {
  const model = draft.get([...from, "model"]);
  const [, prefix, rest] = typeof model === "string" ? (/^([^/]+)\/(.+)$/s.exec(model) ?? []) : [];
  const routed = prefix === undefined ? undefined : PREFIXES[prefix.toLowerCase()];
  const written = draft.take([...from, "provider"]);
  let provider = routed ?? (typeof written === "string" ? (PREFIXES[written] ?? written) : "openai");
  if (routed !== undefined) draft.set([...from, "model"], rest);

  for (const key of SAME) draft.move([...from, key], [...to, key]);
  const base = draft.get([...from, "api_base"]);
  draft.move([...from, "api_base"], [...to, "base_url"]);
  const hasBase = base !== undefined && base !== null;
  if (provider === "xai") {
    provider = "openai";
    if (!hasBase) draft.set([...to, "base_url"], XAI.baseUrl);
    if (draft.get([...to, "api_key_env"]) === undefined) draft.set([...to, "api_key_env"], XAI.keyVariable);
  } else if (provider === "azure-openai" && hasBase) {
    // Without an address the key would go to OpenAI, so that is refused.
    provider = "openai";
    draft.set([...to, "base_url"], azureUrl(base));
  }

  const attempts = draft.get([...from, "retry", "attempts"]);
  draft.move([...from, "retry", "attempts"], [...to, "retries"]);
  if (typeof attempts === "number") draft.set([...to, "retries"], attempts - 1);
  draft.drop([...from, "retry", "backoff_seconds"], "does not apply: pauses double, with jitter");
  draft.close([...from, "retry"], [...to, "retry"]);
  draft.move([...from, "reasoning_effort"], [...to, "extra", "reasoning_effort"]);
  for (const [key, words] of Object.entries(GONE)) draft.drop([...from, key], words);
  draft.close(from, to);
  return provider;
}
