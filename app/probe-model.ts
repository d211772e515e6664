import type { LlmConfig } from "../configs/config-schema.ts";
import { redactUrl } from "../configs/redact.ts";
import { messageOf } from "../errors/atlas-error.ts";
import type { Finding } from "./finding.ts";

const WITHIN_MS = 5_000;
/** The one that Anthropic's SDK speaks. */
const ANTHROPIC_VERSION = "2026-10-21";

interface Provider {
  url: string;
  key: string;
  headers(key: string): Record<string, string>;
}

const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

function providerOf(provider: LlmConfig["provider"]): Provider {
  switch (provider) {
    case "anthropic":
      return {
        url: `${process.env.ANTHROPIC_BASE_URL || "https://api.anthropic.com"}/v1/models`,
        key: "ANTHROPIC_API_KEY",
        headers: (key) => ({ ...bearer(key), "anthropic-version": ANTHROPIC_VERSION }),
      };
    case "gemini":
      return {
        url: "https://generativelanguage.googleapis.com/v1beta/openai/models",
        key: "GEMINI_API_KEY",
        headers: bearer,
      };
    default:
      return {
        url: `${(process.env.OPENAI_BASE_URL || "https://api.openai.com/v1").replace(/\/$/, "")}/models`,
        key: "OPENAI_API_KEY",
        headers: bearer,
      };
  }
}

/** The name of the environment variable that a model's key comes from. */
export const keyVariableOf = ({ provider, apiKeyEnv }: LlmConfig): string =>
  apiKeyEnv ?? providerOf(provider).key;

function urlOf({ provider, baseUrl }: LlmConfig): string {
  if (baseUrl === undefined) return providerOf(provider).url;
  return `${baseUrl.replace(/\/$/, "")}${provider === "anthropic" ? "/v1/models" : "/models"}`;
}

/** Asks a model's provider for its list of models: that shows whether it answers and takes the key, and costs nothing. */
export async function probeModel(name: string, config: LlmConfig): Promise<Finding> {
  const url = urlOf(config);
  const what = `${config.provider} ${config.model} at ${redactUrl(url)}`;
  const key = process.env[keyVariableOf(config)];
  try {
    const response = await fetch(url, {
      redirect: "manual",
      signal: AbortSignal.timeout(WITHIN_MS),
      headers: key ? providerOf(config.provider).headers(key) : {},
    });
    await response.body?.cancel();
    if (response.ok) return { name, status: "ok", detail: `${what} answers` };
    const { status } = response;
    if (status === 401 || status === 403)
      return {
        name,
        status: "broken",
        detail: `${what} refuses the key of ${keyVariableOf(config)} (${status})`,
      };
    return { name, status: "warning", detail: `${what} answers, but lists no models (${status})` };
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    return { name, status: "broken", detail: `${what} does not answer: ${messageOf(cause ?? error)}` };
  }
}
