import { isOffline } from "../configs/offline-mode.ts";
import { addressFor, hostOf } from "../configs/project-environment.ts";
import { limitedText } from "../guards/limited-body.ts";
import { ANTHROPIC_URL, anthropicModel } from "../models/anthropic.ts";
import { GEMINI_URL, geminiModel } from "../models/gemini.ts";
import type { ModelClient } from "../models/model-client.ts";
import { OPENAI_URL, openaiModel } from "../models/openai.ts";
import { simulatedModel } from "../producers/simulated/simulated.ts";

import { isAnotherPersons } from "./local-listener.ts";

/** A model that can be used here and now. */
export interface DetectedModel {
  client: ModelClient;
  /** One line that says which, and why. */
  why: string;
}

/** Used unless `ATLAS_MODEL` names another. */
const DEFAULT_MODELS = {
  openai: "gpt-5.4-mini",
  anthropic: "claude-haiku-4-5",
  gemini: "gemini-flash-latest",
} as const;

/** Where Ollama, vLLM and LM Studio listen unless told otherwise. */
const LOCAL_SERVERS = ["http://127.0.0.1:11434/v1", "http://127.0.0.1:8000/v1", "http://127.0.0.1:1234/v1"];
const ANSWER_WITHIN_MS = 2_000;
/** Of a list of models. */
const MOST_BYTES = 4 * 1024 * 1024;
/** Local servers also list models that cannot chat. */
const NOT_FOR_CHAT = /embed|rerank|whisper|tts|moderation|dall-e|image/i;

/** The names of the models that a server offers; undefined when it does not answer as such a server would. */
async function modelsAt(baseUrl: string, apiKey?: string): Promise<string[] | undefined> {
  try {
    const response = await fetch(`${baseUrl.replace(/\/$/, "")}/models`, {
      redirect: "error",
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      ...(apiKey === undefined ? {} : { headers: { authorization: `Bearer ${apiKey}` } }),
    });
    if (!response.ok) return undefined;
    const body = JSON.parse(await limitedText(response, MOST_BYTES)) as { data?: { id?: unknown }[] };
    const names = body?.data?.map(({ id }) => id).filter((id) => typeof id === "string");
    return names?.filter((name) => !NOT_FOR_CHAT.test(name));
  } catch {
    return undefined;
  }
}

async function localServer(): Promise<DetectedModel | undefined> {
  const configured = process.env["OPENAI_BASE_URL"];
  // A server that nobody named gets the task only where no other person can have put it there.
  const guessed = LOCAL_SERVERS.filter((baseUrl) => !isAnotherPersons(Number(new URL(baseUrl).port)));
  const candidates = configured ? [configured, ...guessed] : guessed;
  const offers = await Promise.all(candidates.map((baseUrl) => modelsAt(baseUrl)));
  const found = offers.findIndex((models) => models !== undefined && models.length > 0);
  if (found < 0) return undefined;
  const baseUrl = candidates[found]!;
  const model = process.env["ATLAS_MODEL"] || offers[found]![0]!;
  return {
    client: openaiModel({ model, baseUrl }),
    why: `${model} of the OpenAI-compatible server that answers at ${hostOf(baseUrl)}`,
  };
}

/** Behind a base URL of one's own, OpenAI's model names may mean nothing. */
async function openaiName(baseUrl: string | undefined): Promise<string> {
  const named = process.env["ATLAS_MODEL"];
  if (named || baseUrl === undefined) return named || DEFAULT_MODELS.openai;
  const offered = (await modelsAt(baseUrl, process.env["OPENAI_API_KEY"])) ?? [];
  return offered.includes(DEFAULT_MODELS.openai)
    ? DEFAULT_MODELS.openai
    : (offered[0] ?? DEFAULT_MODELS.openai);
}

const because = (name: string, baseUrl: string, key: string): string =>
  `${name} at ${hostOf(baseUrl)}, because ${key} is set`;

async function openai(): Promise<DetectedModel> {
  const baseUrl = addressFor("OPENAI_BASE_URL", "OPENAI_API_KEY");
  const model = await openaiName(baseUrl);
  const why = because(`OpenAI ${model}`, baseUrl ?? OPENAI_URL, "OPENAI_API_KEY");
  return { client: openaiModel({ model }), why };
}

/**
 * Finds a model to work with: by a key in the environment (OpenAI, Anthropic, Gemini, in this order), else a local
 * server that speaks OpenAI's API, else the simulation. `ATLAS_MODEL` names the model, `ATLAS_OFFLINE_MODE=1` insists
 * on the simulation. Takes 2 s at most, and no time where nobody listens; sends no prompt. On Linux a local server of
 * another person is not asked, unless `OPENAI_BASE_URL` names it.
 *
 * @example
 * const { client, why } = await detectModel();
 */
export async function detectModel(): Promise<DetectedModel> {
  if (isOffline()) {
    return { client: simulatedModel(), why: "simulated models, because ATLAS_OFFLINE_MODE is set" };
  }
  if (process.env["OPENAI_API_KEY"]) return openai();
  if (process.env["ANTHROPIC_API_KEY"]) {
    const model = process.env["ATLAS_MODEL"] || DEFAULT_MODELS.anthropic;
    const baseUrl = addressFor("ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY") ?? ANTHROPIC_URL;
    const why = because(`Anthropic ${model}`, baseUrl, "ANTHROPIC_API_KEY");
    return { client: anthropicModel({ model }), why };
  }
  if (process.env["GEMINI_API_KEY"]) {
    const model = process.env["ATLAS_MODEL"] || DEFAULT_MODELS.gemini;
    const why = because(`Gemini ${model}`, GEMINI_URL, "GEMINI_API_KEY");
    return { client: geminiModel({ model }), why };
  }
  const local = await localServer();
  if (local !== undefined) return local;
  const server = process.env["OPENAI_BASE_URL"]
    ? "neither OPENAI_BASE_URL nor a local server answers"
    : "no local server answers";
  return {
    client: simulatedModel(),
    why: `simulated models: no OPENAI_API_KEY, ANTHROPIC_API_KEY or GEMINI_API_KEY is set, and ${server}`,
  };
}
