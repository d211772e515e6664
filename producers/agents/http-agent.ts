import { AtlasError } from "../../errors/atlas-error.ts";
import { textOf } from "../json-text.ts";
import type { Patience } from "../models/model-client.ts";
import type { Agent } from "./agent.ts";
import { httpText } from "./http-request.ts";
import { atPath, filled, fromEnvironment } from "./http-template.ts";
import { promptText } from "./prompt-text.ts";

/** An agent behind an HTTP endpoint. */
export interface HttpAgentOptions extends Omit<Patience, "stream"> {
  /** Asked exactly as it is. */
  url: string;
  /** The URL's host unless told. */
  name?: string | undefined;
  /** POST unless told. */
  method?: "POST" | "PUT" | "PATCH" | undefined;
  /**
   * The request's JSON, with places for `{{prompt}}` (task, and on a retry the answer before and its guidance),
   * `{{task}}`, `{{guidance}}`, `{{previous}}` and `{{attempt}}`; `{ "prompt": "{{prompt}}" }` unless told.
   */
  template?: unknown;
  /** Where the answer is, such as `choices[0].message.content`; the whole answer unless told. */
  resultPath?: string | undefined;
  /** Headers; `${NAME}` is taken from the environment. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Name of the environment variable with a key, sent as `Authorization: Bearer …`. */
  apiKeyEnv?: string | undefined;
  systemPrompt?: string | undefined;
}

function headersOf({ headers = {}, apiKeyEnv }: HttpAgentOptions): Record<string, string> {
  const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), fromEnvironment(value)]);
  return {
    "content-type": "application/json",
    accept: "application/json",
    ...(apiKeyEnv === undefined ? {} : { authorization: `Bearer ${fromEnvironment(`\${${apiKeyEnv}}`)}` }),
    ...Object.fromEntries(own),
  };
}

function answerIn(text: string, path: string | undefined): string {
  if (path === undefined) return text;
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new AtlasError("ATLAS_AGENT_FAILED", "the agent's server answered with what is not JSON", {
      hint: "Leave the result path out to take the answer as text.",
    });
  }
  return textOf(atPath(body, path)) ?? "";
}

/**
 * An agent behind an HTTP endpoint. 429, 5xx and network failures are retried; anything else fails at once.
 *
 * @example
 * const agent = httpAgent({ url: "https://agents.example/answer", resultPath: "output[0].text", apiKeyEnv: "MY_KEY" });
 */
export function httpAgent(options: HttpAgentOptions): Agent {
  const { url, template = { prompt: "{{prompt}}" }, resultPath, method = "POST" } = options;
  return {
    name: options.name ?? (URL.canParse(url) ? new URL(url).host : "http"),
    kind: "http",
    systemPrompt: options.systemPrompt,
    async invoke(input) {
      const { task, guidance, step, signal } = input;
      const values = {
        task,
        prompt: promptText(input),
        guidance: guidance.join("\n"),
        previous: step.previous ?? "",
        attempt: String(step.attempt),
      };
      const text = await httpText({
        url,
        method,
        headers: headersOf(options),
        body: JSON.stringify(filled(template, values)),
        timeoutMs: options.timeoutMs ?? 60_000,
        maxRetries: options.maxRetries ?? 2,
        signal,
      });
      return answerIn(text, resultPath);
    },
  };
}
