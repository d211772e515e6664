import type { SessionStatus } from "../../schemas/vocabulary.ts";
import { isObject } from "../../traces/clean-text.ts";
import { type ChatMessage, textOf } from "../chat/message.ts";
import { readMessages } from "../chat/read-messages.ts";
import { type ToolDefinition, toolDefinitions } from "../chat/tool-definitions.ts";
import { trialIn, usageIn } from "./benchmark-fields.ts";
import { Fields, listIn, nameIn, numberIn, objectIn, present, textIn } from "./fields.ts";
import type { Format, ReadingContext, RecordedConversation } from "./format.ts";
import { agentsView } from "./tau2-messages.ts";

/** What holds for every simulation of a file. */
interface Run {
  domain?: string | undefined;
  policy?: string | undefined;
  tools?: ToolDefinition[] | undefined;
  agent?: string | undefined;
  tasks: Map<string, unknown>;
  /** What else is known of the run. */
  metadata?: Record<string, unknown> | undefined;
}

/** A tool as the environment describes it. */
const declaredTool = (tool: unknown): unknown => {
  if (!isObject(tool) || tool.params === undefined) return tool;
  const { doc, params, ...rest } = tool;
  return { ...rest, ...(doc !== undefined && { description: doc }), parameters: params };
};

const declaredTools = (value: unknown): ToolDefinition[] | undefined =>
  toolDefinitions(
    isObject(value)
      ? Object.entries(value).map(([name, tool]) => {
          const declared = declaredTool(tool);
          return isObject(declared) ? { name, ...declared } : declared;
        })
      : Array.isArray(value)
        ? value.map(declaredTool)
        : value,
  );

function runOf(row: Fields): Run {
  const info = new Fields(objectIn(row.record.info) ?? {});
  const environment = new Fields(objectIn(info.record.environment_info) ?? {});
  const agent = objectIn(info.record.agent_info) ?? {};
  const tasks = new Map<string, unknown>();
  for (const task of row.take("tasks", listIn) ?? [])
    if (isObject(task) && nameIn(task.id) !== undefined) tasks.set(nameIn(task.id)!, task);
  const policy = environment.take("policy", textIn);
  const tools = environment.take("tool_defs", declaredTools);
  row.drop("simulations", "info");
  info.drop("environment_info");
  return {
    domain: textIn(environment.record.domain_name),
    policy,
    tools,
    agent: textIn(agent.llm) ?? textIn(agent.implementation),
    tasks,
    metadata: present({
      ...row.rest(),
      info: present({ ...info.rest(), environment_info: environment.rest() }),
    }),
  };
}

/** Simulations end when one of both says so; whatever else ends them is a failure. */
function endOf(reason: string | undefined): { status?: SessionStatus; error?: string } {
  if (reason === undefined) return {};
  const word = reason.toLowerCase().replace(/^.*\./, "");
  return word === "user_stop" || word === "agent_stop"
    ? { status: "succeeded" }
    : { status: "failed", error: `ended by ${word}` };
}

/** What the task wants, of all that is known of it. */
function wantedOf(task: unknown): string | undefined {
  const criteria = isObject(task) ? task.evaluation_criteria : undefined;
  return isObject(criteria) ? JSON.stringify(criteria) : undefined;
}

const said = (messages: readonly ChatMessage[], role: ChatMessage["role"]): boolean =>
  messages.some((message) => message.role === role && textOf(message));

function conversationOf(value: unknown, run: Run, context: ReadingContext): RecordedConversation | string {
  if (!isObject(value)) return " is not an object";
  const row = new Fields(value);
  const listed = row.take("messages", listIn);
  if (listed === undefined || listed.length === 0)
    return row.isLeft("ticks") ? ".messages is missing: it was spoken in ticks" : ".messages is empty";
  const { messages: seen, unheard } = agentsView(listed);
  const messages = readMessages(seen);
  if (typeof messages === "string") return `.messages${messages}`;
  if (!said(messages, "system")) {
    const policy = row.take("policy", textIn) ?? run.policy;
    if (policy !== undefined) messages.unshift({ role: "system", content: policy });
  }
  const isShown = messages.some((message) => message.role === "system" && textOf(message) === run.policy);
  const taskId = nameIn(row.record.task_id);
  const task = taskId === undefined ? undefined : run.tasks.get(taskId);
  const ticket = isObject(task) ? textIn(task.ticket) : undefined;
  const { timeOf } = context;
  return {
    content: value,
    messages: messages.map((message, index) => ({
      message,
      at: timeOf(message.timestamp, `messages[${index}].timestamp`),
      ...(message.role === "assistant" && { usage: usageIn(message.usage), cost: numberIn(message.cost) }),
    })),
    id: row.take("id", nameIn),
    task: said(messages, "user") ? undefined : ticket,
    tools: run.tools,
    reward: numberIn(objectIn(row.record.reward_info)?.reward),
    ...endOf(textIn(row.record.termination_reason)),
    startedAt: timeOf(row.record.start_time, "start_time"),
    endedAt: timeOf(row.record.end_time, "end_time"),
    agent: run.agent,
    groupId: taskId && ["tau2-bench", run.domain, taskId].filter((part) => part !== undefined).join("/"),
    rollout: row.takeOrTell("trial", trialIn, "a whole number", context.note),
    groundTruth: wantedOf(task),
    cost: numberIn(row.record.agent_cost),
    metadata: present({
      ...row.rest(),
      ...(task !== undefined && { task }),
      run: present({ ...run.metadata, policy: isShown ? undefined : run.policy }),
      ...(unheard.length > 0 && { user_tool_use: unheard }),
    }),
  };
}

/** Runs keep the definitions of all their tasks, also of those that were not tried. */
function tellTasks({ tasks }: Run, simulations: readonly unknown[], { note }: ReadingContext): void {
  const tried = new Set(simulations.map((each) => (isObject(each) ? nameIn(each.task_id) : undefined)));
  const left = [...tasks.keys()].filter((id) => !tried.has(id)).length;
  if (left > 0) note(`${left} of ${tasks.size} tasks have no simulation here: they are left out`);
}

function read(values: readonly unknown[], context: ReadingContext): RecordedConversation[] | string {
  const row = new Fields(values[0] as Record<string, unknown>);
  const isRun = row.record.simulations !== undefined;
  const simulations = isRun ? row.record.simulations : [row.record];
  if (!Array.isArray(simulations)) return "simulations is not a list";
  if (simulations.length === 0)
    return row.isLeft("simulation_index")
      ? "simulations is empty: they stand in files of their own, in the folder simulations beside it"
      : "simulations is empty: nothing was run";
  const run = isRun ? runOf(row) : { tasks: new Map<string, unknown>() };
  tellTasks(run, simulations, context);
  const found: RecordedConversation[] = [];
  const problems: string[] = [];
  for (const [index, value] of (simulations as unknown[]).entries()) {
    const read = conversationOf(value, run, context);
    if (typeof read === "string") problems.push(`${isRun ? `simulations[${index}]` : "it"}${read}`);
    else found.push(read);
  }
  if (found.length === 0) return problems[0]!;
  for (const problem of problems) context.note(`${problem}: this simulation is left out`);
  return found;
}

/** Results of τ²-bench: a run with its simulations, or one simulation by itself. */
export const tau2Bench: Format = {
  name: "tau2-bench",
  translation: 1,
  about: "results of tau2-bench: a run with its simulations, or one simulation",
  recognizes: (value) =>
    isObject(value) &&
    ((Array.isArray(value.simulations) && (value.tasks !== undefined || isObject(value.info))) ||
      (value.termination_reason !== undefined && value.task_id !== undefined && "messages" in value)),
  read,
};
