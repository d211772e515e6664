import { AtlasError } from "../../errors/atlas-error.ts";
import type { ModelClient, ModelReply, Patience } from "../../models/model-client.ts";
import { sendable } from "../../models/sendable.ts";
import { textOf } from "../../schemas/json-text.ts";
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
  /** Most MiB of an answer; 16 unless told. */
  maxAnswerMb?: number | undefined;
}

const MIB = 1024 * 1024;
const MAX_ANSWER_MB = 16;

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

const replyOf = (content: string, model: string): ModelReply => ({
  content,
  toolCalls: [],
  message: { role: "assistant", content },
  model,
});

/**
 * The endpoint as what it is to the runtime: something that is asked and answers. So its calls are recorded with
 * their tries, and counted.
 */
const endpoint = (name: string, complete: ModelClient["complete"]): ModelClient => ({
  provider: "http",
  model: name,
  simulated: false,
  // Each try has a limit of its own, and an agent may take longer than a model.
  limitMs: Number.POSITIVE_INFINITY,
  complete,
});

/**
 * An agent behind an HTTP endpoint. It is recorded as one model call, whose provider is `http`. 429, 5xx and network failures are
 * retried; anything else fails at once.
 *
 * @example
 * const agent = httpAgent({ url: "https://agents.example/answer", resultPath: "output[0].text", apiKeyEnv: "MY_KEY" });
 */
export function httpAgent(options: HttpAgentOptions): Agent {
  const { url, template, resultPath, method = "POST" } = options;
  const name = options.name ?? (URL.canParse(url) ? new URL(url).host : "http");
  return {
    name,
    kind: "http",
    systemPrompt: options.systemPrompt,
    async invoke(input, ctx) {
      const { task, guidance, step, signal, promptVersion } = input;
      const prompt = promptText(input);
      const values = {
        task,
        prompt,
        guidance: guidance.join("\n"),
        previous: step.previous ?? "",
        attempt: String(step.attempt),
      };
      const body = sendable(filled(template ?? { prompt: "{{prompt}}" }, values));
      const client = endpoint(name, async (_request, { onTry, onFailedTry } = {}) => {
        const text = await httpText({
          url,
          method,
          headers: headersOf(options),
          body: JSON.stringify(body),
          timeoutMs: options.timeoutMs ?? 60_000,
          maxRetries: options.maxRetries ?? 2,
          maxBytes: Math.floor((options.maxAnswerMb ?? MAX_ANSWER_MB) * MIB),
          signal,
          onTry,
          onFailedTry,
        });
        return replyOf(answerIn(text, resultPath), name);
      });
      const asked = { messages: [{ role: "user" as const, content: prompt }], promptVersion };
      const { content } = await ctx.model(
        client,
        template === undefined ? asked : { ...asked, extra: { body } },
      );
      return content;
    },
  };
}
