import type { LlmConfig } from "../configs/config-schema.ts";
import { addressFor } from "../configs/project-environment.ts";
import { redactUrl } from "../configs/redact.ts";
import { explain, messageOf } from "../errors/atlas-error.ts";
import { ANTHROPIC_URL } from "../models/anthropic.ts";
import { GEMINI_URL } from "../models/gemini.ts";
import { OPENAI_URL } from "../models/openai.ts";

/** What `atlas doctor` looked at, and how it is. */
export interface Finding {
  name: string;
  /** `warning` is worth a look and stops nothing. */
  status: "ok" | "warning" | "broken";
  detail: string;
}

const WITHIN_MS = 5_000;
/** The one that Anthropic's SDK speaks. */
const ANTHROPIC_VERSION = "2026-10-21";

interface Provider {
  /** Its variable with another address, where it has one. */
  variable?: string;
  url: string;
  path: string;
  key: string;
  headers(key: string): Record<string, string>;
}

const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

const PROVIDERS: Readonly<Record<string, Provider>> = {
  anthropic: {
    variable: "ANTHROPIC_BASE_URL",
    url: ANTHROPIC_URL,
    path: "/v1/models",
    key: "ANTHROPIC_API_KEY",
    headers: (key) => ({ ...bearer(key), "anthropic-version": ANTHROPIC_VERSION }),
  },
  gemini: { url: GEMINI_URL, path: "/models", key: "GEMINI_API_KEY", headers: bearer },
  openai: {
    variable: "OPENAI_BASE_URL",
    url: OPENAI_URL,
    path: "/models",
    key: "OPENAI_API_KEY",
    headers: bearer,
  },
};

const providerOf = (provider: LlmConfig["provider"]): Provider => PROVIDERS[provider] ?? PROVIDERS["openai"]!;

/** The name of the environment variable that a model's key comes from. */
export const keyVariableOf = ({ provider, apiKeyEnv }: LlmConfig): string =>
  apiKeyEnv ?? providerOf(provider).key;

function urlOf(config: LlmConfig): string {
  const { variable, url, path } = providerOf(config.provider);
  const own = variable === undefined ? undefined : addressFor(variable, keyVariableOf(config));
  return `${(config.baseUrl ?? own ?? url).replace(/\/$/, "")}${path}`;
}

/** Asks a model's provider for its list of models: that shows whether it answers and takes the key, and costs nothing. */
export async function probeModel(name: string, config: LlmConfig): Promise<Finding> {
  let url: string;
  try {
    url = urlOf(config);
  } catch (error) {
    return { name, status: "broken", detail: explain(error) };
  }
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
