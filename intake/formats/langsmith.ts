import { isObject } from "../../traces/clean-text.ts";
import { traceConversation } from "../spans/trace-conversation.ts";
import { nameIn, textsIn } from "./fields.ts";
import type { Format, ReadingContext, RecordedConversation } from "./format.ts";
import { type Run, traceOf, workOfRun } from "./langsmith-run.ts";

const isRun = (value: unknown): value is Run =>
  isObject(value) &&
  typeof value.run_type === "string" &&
  ("inputs" in value || "outputs" in value || "start_time" in value || "dotted_order" in value);

const isBatch = (value: Run): boolean =>
  (Array.isArray(value.post) || Array.isArray(value.patch)) &&
  [value.post, value.patch].every((list) => list === undefined || list === null || Array.isArray(list));

/** A later record of a run adds what it knows: a run is posted when it begins, and patched when it ends. */
const merged = (before: Run | undefined, run: Run): Run => ({
  ...before,
  ...Object.fromEntries(
    Object.entries(run).filter(([name, value]) => value !== null || before?.[name] === undefined),
  ),
});

class Runs {
  readonly byId = new Map<string, Run>();

  /** Takes what a value of a file is: a run with those within it, a batch of them, or a page. */
  add(value: unknown, parent?: Run): void {
    if (Array.isArray(value)) for (const each of value as unknown[]) this.add(each, parent);
    if (!isObject(value)) return;
    if (isBatch(value)) {
      this.add(value.post);
      this.add(value.patch);
    } else if (Array.isArray(value.runs)) {
      this.add(value.runs);
    } else {
      const { child_runs, ...run } = value;
      const id = nameIn(run.id) ?? idInOrder(run) ?? `run-${this.byId.size + 1}`;
      const own =
        parent === undefined ? run : { parent_run_id: parent.id, trace_id: traceOf(parent), ...run };
      const known = merged(this.byId.get(id), { ...own, id });
      this.byId.set(id, known);
      this.add(child_runs, { ...known, trace_id: traceOf(known) ?? id });
    }
  }

  /** The runs of each trace. */
  traces(): Map<string, Run[]> {
    return Map.groupBy(this.byId.values(), (run) => traceOf(run) ?? this.#rootOf(run));
  }

  #rootOf(run: Run): string {
    let root = run;
    for (let steps = 0; steps < this.byId.size; steps += 1) {
      const parent = this.byId.get(String(root.parent_run_id));
      if (parent === undefined) break;
      root = parent;
    }
    return String(root.id);
  }
}

/** What is patched may name its run only in its order. */
const idInOrder = ({ dotted_order }: Run): string | undefined =>
  typeof dotted_order === "string"
    ? dotted_order
        .split(".")
        .at(-1)
        ?.replace(/^\d{8}T\d+Z/, "")
    : undefined;

function conversationOf(
  id: string,
  runs: readonly Run[],
  context: ReadingContext,
): RecordedConversation | undefined {
  const conversation = traceConversation(
    runs.map((run) => workOfRun(run, id, context)),
    context,
    { called: "runs" },
  );
  if (conversation === undefined) return undefined;
  const root = runs.find((run) => run.id === id) ?? runs.find((run) => run.parent_run_id == null) ?? runs[0]!;
  const inOrder = runs.toSorted((a, b) => (String(a.id) < String(b.id) ? -1 : 1));
  return {
    ...conversation,
    tags: textsIn(root.tags) ?? [],
    groupId: nameIn(root.reference_example_id),
    content: {
      trace: id,
      runs: inOrder.map(({ id: own, run_type, name, inputs, outputs }) => ({
        id: own,
        run_type,
        name,
        inputs,
        outputs,
      })),
    },
  };
}

/** Runs of LangSmith: as its SDKs send them, as its API gives them, nested or each by itself. */
export const langsmith: Format = {
  name: "langsmith",
  translation: 1,
  about: "runs of LangSmith: exports, runs within runs, and batches as its SDKs send them",
  recognizes: (value) =>
    isRun(value) ||
    (isObject(value) &&
      (isBatch(value) || (Array.isArray(value.runs) && value.runs.length > 0 && value.runs.every(isRun)))),
  // Runs of a trace stand in rows of their own.
  partOf: () => "runs",
  read(values, context) {
    const runs = new Runs();
    runs.add(values);
    const traces = runs.traces();
    const found = [...traces].flatMap(([id, own]) => conversationOf(id, own, context) ?? []);
    const silent = traces.size - found.length;
    if (found.length === 0)
      return `none of its runs (${runs.byId.size}) tells what a model was sent and answered: no inputs, no outputs`;
    if (silent > 0)
      context.note(`traces without what a model was sent and answered: ${silent} of ${traces.size}`);
    return found;
  },
};
