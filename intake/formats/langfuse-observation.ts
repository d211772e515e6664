import { isObject } from "../../traces/clean-text.ts";
import { toolDefinitions } from "../chat/tool-definitions.ts";
import { Attributes } from "../spans/attributes.ts";
import { withoutEmpty } from "../spans/known.ts";
import { firstSaid, parsedText } from "../spans/said.ts";
import { saidInAttributes, saidInPayloads } from "../spans/said-in.ts";
import { kindOf } from "../spans/span-kind.ts";
import { costIn, usageIn } from "../spans/usage-in.ts";
import type { Work, WorkKind } from "../spans/work.ts";
import { agentOf, toolRunOf } from "../spans/work-of-span.ts";
import { numberIn, textIn } from "./fields.ts";
import type { ReadingContext, RecordedUsage } from "./format.ts";

const KINDS: Record<string, WorkKind> = { GENERATION: "model", TOOL: "tool", AGENT: "agent" };

/** Exports into storage write names with underscores, the API in camel case. */
export const camelCased = (value: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      inner,
    ]),
  );

const objectIn = (value: unknown): Record<string, unknown> => {
  const given = parsedText(value);
  return isObject(given) ? given : {};
};

/** Names of counts in usage details; what is counted beside them stays in the metadata. */
function usageOf(observation: Record<string, unknown>): RecordedUsage | undefined {
  const details = objectIn(observation.usageDetails);
  const legacy = objectIn(observation.usage);
  const number = (...names: string[]) =>
    names
      .map((name) => numberIn(details[name] ?? legacy[name] ?? observation[name]))
      .find((found) => found !== undefined);
  const [prompt, completion] = [
    number("input", "promptTokens", "prompt_tokens", "inputUsage"),
    number("output", "completionTokens", "completion_tokens", "outputUsage"),
  ];
  if (!prompt && !completion) return undefined;
  return {
    prompt,
    completion,
    total: number("total", "totalTokens", "total_tokens", "totalUsage"),
    reasoning: number("completion_details.reasoning", "output_reasoning_tokens", "output_reasoning"),
    cached: number(
      "prompt_details.cache_read",
      "input_cached_tokens",
      "input_cache_read",
      "cache_read_input_tokens",
    ),
  };
}

function costOf(observation: Record<string, unknown>): number | undefined {
  const { total } = objectIn(observation.costDetails);
  return [total, observation.calculatedTotalCost, observation.totalCost]
    .map(numberIn)
    .find((cost) => cost !== undefined && cost > 0);
}

/** Definitions by name, each as JSON text. */
function definedTools(value: unknown) {
  const byName = objectIn(value);
  const all = Object.entries(byName).map(([name, tool]) => ({ name, ...objectIn(tool) }));
  return toolDefinitions(all);
}

/** Fields whose content is the conversation's. */
const SPOKEN = new Set(["input", "output", "metadata", "toolDefinitions", "toolCalls"]);

/** The work that an observation is; what its spans' attributes say counts where the observation does not. */
export function workOfObservation(
  observation: Record<string, unknown>,
  traceId: string,
  { timeOf }: ReadingContext,
): Work {
  const { attributes: given, ...metadata } = objectIn(observation.metadata);
  const attributes = new Attributes(objectIn(given));
  const name = textIn(observation.name) ?? "";
  const kind = KINDS[String(observation.type).toUpperCase()] ?? kindOf(attributes);
  const payloads: [unknown, unknown] = [parsedText(observation.input), parsedText(observation.output)];
  const said =
    kind === "tool" ? {} : firstSaid([saidInPayloads(kind, payloads), saidInAttributes(attributes, [])]);
  const isError = String(observation.level).toUpperCase() === "ERROR";
  const fields = Object.entries(observation).filter(([field]) => !SPOKEN.has(field));
  return {
    traceId,
    id: String(observation.id),
    parentId: textIn(observation.parentObservationId),
    name,
    kind,
    start: timeOf(observation.startTime, "startTime"),
    end: timeOf(observation.endTime, "endTime"),
    error: isError ? (textIn(observation.statusMessage) ?? "") : undefined,
    agent: agentOf(attributes, kind, name),
    model: textIn(observation.model) ?? textIn(observation.providedModelName),
    said: { ...said, tools: said.tools ?? definedTools(observation.toolDefinitions) },
    tool: kind === "tool" || kind === "other" ? toolRunOf(attributes, name, payloads) : undefined,
    usage:
      kind === "model" ? (usageOf(observation) ?? usageIn((...of) => attributes.number(...of))) : undefined,
    cost: kind === "model" ? (costOf(observation) ?? costIn((...of) => attributes.number(...of))) : undefined,
    spoken: {
      input: observation.input,
      output: observation.output,
      toolDefinitions: observation.toolDefinitions,
      toolCalls: observation.toolCalls,
      metadata: { attributes: attributes.taken() },
    },
    rest: {
      ...Object.fromEntries(fields),
      metadata: isObject(parsedText(observation.metadata))
        ? withoutEmpty({ ...metadata, attributes: attributes.rest() })
        : observation.metadata,
    },
  };
}
