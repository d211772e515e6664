import { isObject } from "../../traces/clean-text.ts";
import { Fields, listIn, objectIn, present, textIn, textsIn } from "./fields.ts";
import type { Format, ReadingContext, RecordedConversation } from "./format.ts";
import { type InspectLog, readSample } from "./inspect-sample.ts";

/** What lists all samples of a run once more would grow with every session that repeats it. */
function headerOf(log: Fields, { note }: ReadingContext): Record<string, unknown> {
  const header = { ...log.rest() };
  const spec = header.eval;
  if (isObject(spec) && isObject(spec.dataset) && spec.dataset.sample_ids !== undefined) {
    const { sample_ids: _, ...dataset } = spec.dataset;
    header.eval = { ...spec, dataset };
    note("eval.dataset.sample_ids lists the ids of all samples: it is left out");
  }
  const { results } = header;
  if (isObject(results) && results.sample_reductions !== undefined) {
    const { sample_reductions: _, ...rest } = results;
    header.results = rest;
  }
  if (log.isLeft("reductions") || header.results !== results)
    note("reductions are made of the scores of several samples: they are left out");
  delete header.reductions;
  return present(header) ?? {};
}

function scorerOf(results: unknown): string {
  if (!isObject(results)) return "score";
  const [first] = listIn(results.scores) ?? [];
  const name = [first, results.scorer].map((scorer) => (isObject(scorer) ? textIn(scorer.name) : undefined));
  return name.find((found) => found !== undefined) ?? "score";
}

function read(values: readonly unknown[], context: ReadingContext): RecordedConversation[] | string {
  const log = new Fields(values[0] as Record<string, unknown>);
  const samples = log.take("samples", listIn);
  if (samples === undefined)
    return "the log has no samples: it was written without them, or before one had ended";
  if (samples.length === 0) return "the list of samples is empty";
  const spec = new Fields(objectIn(log.record.eval) ?? {});
  const { started_at } = objectIn(log.record.stats) ?? {};
  const run: InspectLog = {
    task: textIn(spec.record.task),
    model: textIn(spec.record.model),
    run: textIn(spec.record.run_id),
    startedAt:
      context.timeOf(started_at, "stats.started_at") ?? context.timeOf(spec.record.created, "eval.created"),
    tags: textsIn(spec.record.tags) ?? [],
    scorer: scorerOf(log.record.results),
    metadata: headerOf(log, context),
  };
  const conversations: RecordedConversation[] = [];
  const problems: string[] = [];
  for (const [index, sample] of samples.entries()) {
    const found = readSample(sample, run, context);
    if (typeof found === "string")
      problems.push(`samples[${index}]${found.startsWith("messages") ? "." : " "}${found}`);
    else conversations.push(found);
  }
  if (conversations.length === 0) return problems[0]!;
  for (const problem of problems) context.note(`${problem}: the sample is left out`);
  return conversations;
}

/** Logs of Inspect, the framework for evaluations: a conversation for each sample and epoch. */
export const inspect: Format = {
  name: "inspect",
  translation: 1,
  about: "logs of Inspect (.json and .eval): a session for each sample and epoch",
  recognizes: (value) =>
    isObject(value) &&
    isObject(value.eval) &&
    typeof value.eval.task === "string" &&
    (value.samples !== undefined || value.plan !== undefined || value.stats !== undefined),
  read,
};
