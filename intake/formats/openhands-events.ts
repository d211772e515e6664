import { isObject } from "../../traces/clean-text.ts";
import { toolDefinitions } from "../chat/tool-definitions.ts";
import { numberIn, objectIn } from "./fields.ts";
import { ABOUT_ACTIONS, ABOUT_OBSERVATIONS, argsOf, OF_FRAMEWORK, ownOf } from "./openhands-event.ts";
import {
  answeredIn,
  callsIn,
  closeFinished,
  type Event,
  type Turn,
  type Turns,
  textIn,
  unsaid,
} from "./openhands-turns.ts";

/** Reads the events of one conversation, in order. */
class EventReader {
  readonly found: Turns = { turns: [], beside: [], end: {} };
  /** Turns by the reply of the model that they are. */
  readonly #replies = new Map<unknown, Turn>();
  /** Calls by the event that made them. */
  readonly #calls = new Map<unknown, unknown>();
  readonly #seen = new Map<unknown, string>();
  #made = 0;

  add(event: Event): void {
    this.found.cost = numberIn(objectIn(event.llm_metrics)?.accumulated_cost) ?? this.found.cost;
    if (typeof event.observation === "string") this.#observation(event, event.observation);
    else this.#action(event, event.action as string);
  }

  #push(turn: Turn): void {
    this.found.turns.push(turn);
  }

  #action(event: Event, action: string): void {
    const args = argsOf(event);
    const isUsers = event.source === "user";
    if (ABOUT_ACTIONS.has(action)) this.found.beside.push(event);
    else if (action === "system") this.#system(event, args);
    else if (action === "message") this.#message(event, args);
    else if (isUsers || event.source === "environment") this.#usersAction(event, args, action);
    else if (action === "reject") {
      this.found.end = { status: "failed", error: "the agent rejected the task" };
      this.#call(event, args, action);
    } else {
      if (action === "finish") this.found.end = { status: "succeeded" };
      this.#call(event, args, action);
    }
  }

  #system(event: Event, args: Event): void {
    const { content, tools, ...rest } = args;
    this.found.tools ??= toolDefinitions(tools);
    const kept = this.found.tools === undefined ? { ...rest, tools } : rest;
    this.#push({
      message: { role: "system", content, event: unsaid({ ...ownOf(event), args: kept }, textIn(content)) },
      time: event.timestamp,
    });
  }

  /** Without a source, the user speaks first, and whenever the agent has just spoken. */
  #roleOf({ source }: Event): "user" | "assistant" {
    if (source === "user" || source === "environment") return "user";
    if (source === "agent") return "assistant";
    const last = this.found.turns.findLast(({ message }) => message.role !== "system");
    return last === undefined || (last.message.role === "assistant" && callsIn(last).length === 0)
      ? "user"
      : "assistant";
  }

  #message(event: Event, args: Event): void {
    const { content, ...rest } = args;
    const urls = [args.image_urls, args.images_urls].find((given) => Array.isArray(given)) as
      | unknown[]
      | undefined;
    for (const name of ["image_urls", "images_urls"]) if (Array.isArray(rest[name])) delete rest[name];
    if (typeof content !== "string") rest.content = content;
    if (event.args !== undefined && objectIn(event.args) === undefined) rest.recorded = event.args;
    const images = (urls ?? []).map((url) => ({ type: "image_url", image_url: { url } }));
    const text = textIn(content);
    const role = this.#roleOf(event);
    const parts = images.length === 0 ? text : [{ type: "text", text }, ...images];
    const { model_response, ...called } = objectIn(event.tool_call_metadata) ?? {};
    const own = unsaid(ownOf(event), text);
    if (model_response !== undefined) own.tool_call_metadata = { ...called, model_response };
    this.#push({
      message: { role, content: parts, event: { ...own, args: unsaid(rest, text) } },
      time: event.timestamp,
      usage: objectIn(model_response)?.usage,
    });
  }

  /** What the user did by hand is told to the agent. */
  #usersAction(event: Event, args: Event, action: string): void {
    if (action === "finish") {
      this.found.beside.push(event);
      return;
    }
    const done = textIn(args.command) || textIn(args.code) || textIn(args.path) || JSON.stringify(args);
    const content = `User executed the ${action === "run" ? "command" : `action ${action}`}:\n${done}`;
    this.#push({ message: { role: "user", content, event: unsaid(event, content) }, time: event.timestamp });
  }

  #call(event: Event, args: Event, action: string): void {
    const metadata = objectIn(event.tool_call_metadata);
    const reply = objectIn(metadata?.model_response);
    const [choice] = Array.isArray(reply?.choices) ? (reply.choices as unknown[]) : [];
    const said = isObject(choice) ? objectIn(choice.message) : undefined;
    const known = reply === undefined ? undefined : this.#replies.get(reply.id);
    this.#seen.set(metadata?.tool_call_id, JSON.stringify(metadata));
    if (metadata !== undefined) this.#calls.set(event.id, metadata.tool_call_id);
    if (known !== undefined) {
      const { model_response: _reply, ...called } = metadata!;
      (known.message.events as Event[]).push(
        unsaid({ ...event, tool_call_metadata: called }, this.#words(known)),
      );
      if (said === undefined)
        known.message.tool_calls = [...callsIn(known), ...callsIn(this.#told(event, args, action))];
      return;
    }
    const turn: Turn = said === undefined ? this.#told(event, args, action) : { message: { ...said } };
    const { message: _message, ...ofChoice } = isObject(choice) ? choice : {};
    const rest = reply && said ? { ...reply, choices: [ofChoice] } : reply;
    const own: Event =
      said === undefined
        ? { ...ownOf(event), ...this.#framework(args) }
        : { ...event, args: unsaid(args, this.#words(turn)) };
    if (metadata !== undefined) own.tool_call_metadata = { ...metadata, model_response: rest };
    turn.message.events = [unsaid(own, this.#words(turn))];
    if (reply !== undefined) this.#replies.set(reply.id, turn);
    this.found.model ??= textIn(reply?.model) || undefined;
    this.#push({ ...turn, time: event.timestamp, usage: reply?.usage });
  }

  #words({ message }: Turn): string {
    return textIn(message.content);
  }

  #framework(args: Event): Event {
    const kept = Object.entries(args).filter(
      ([name, value]) =>
        OF_FRAMEWORK.has(name) && value !== null && !(name === "thought" && typeof value === "string"),
    );
    return kept.length === 0 ? {} : { args: Object.fromEntries(kept) };
  }

  /** A call as it can be told where the model's own words were not recorded. */
  #told(event: Event, args: Event, action: string): Turn {
    const metadata = objectIn(event.tool_call_metadata);
    const given = Object.entries(args).filter(([name, value]) => !OF_FRAMEWORK.has(name) && value !== null);
    this.#made += 1;
    const id = textIn(metadata?.tool_call_id) || `event-${String(event.id ?? `n${this.#made}`)}`;
    this.#calls.set(event.id, id);
    const thought = objectIn(args.thought)?.text ?? args.thought;
    const name = textIn(metadata?.function_name) || action;
    return {
      message: {
        role: "assistant",
        content: textIn(thought) || null,
        tool_calls: [
          { id, type: "function", function: { name, arguments: JSON.stringify(Object.fromEntries(given)) } },
        ],
      },
    };
  }

  /** The call that an observation is of: by its own word, by the event that caused it, or else the last that waits. */
  #callOf(event: Event): unknown {
    const named = objectIn(event.tool_call_metadata)?.tool_call_id;
    if (named !== undefined && this.#seen.has(named)) return named;
    if (event.cause !== undefined && event.cause !== null) return this.#calls.get(event.cause);
    const answered = answeredIn(this.found.turns);
    const last = this.found.turns.findLast(({ message }) => message.role === "assistant");
    return event.id === undefined ? callsIn(last).find(({ id }) => !answered.has(id))?.id : undefined;
  }

  #observation(event: Event, observation: string): void {
    if (observation === "agent_state_changed") this.#state(objectIn(event.extras) ?? event);
    const call = ABOUT_OBSERVATIONS.has(observation) ? undefined : this.#callOf(event);
    const { content, ...rest } = event;
    if (call === undefined) {
      const last = this.found.turns.at(-1);
      const isTold =
        observation === "error" || (last?.message.role === "user" && !ABOUT_OBSERVATIONS.has(observation));
      if (!isTold || textIn(content) === "") this.found.beside.push(event);
      else {
        const message = { role: "user", content, event: unsaid(rest, textIn(content)) };
        this.#push({ message, time: event.timestamp });
      }
      return;
    }
    if (JSON.stringify(rest.tool_call_metadata) === this.#seen.get(call)) delete rest.tool_call_metadata;
    const outputs = objectIn(event.extras)?.outputs;
    const shown = textIn(content) === "" && outputs !== undefined ? outputs : content;
    this.#push({
      message: {
        role: "tool",
        tool_call_id: call,
        content: shown ?? "",
        event: unsaid(rest, textIn(content)),
      },
      time: event.timestamp,
    });
  }

  #state(extras: Event): void {
    const state = textIn(extras.agent_state);
    const reason = textIn(extras.reason);
    if (state === "finished") this.found.end = { status: "succeeded" };
    else if (state === "error")
      this.found.end = { status: "failed", error: reason || "the agent ended in an error" };
    else if (state === "rejected")
      this.found.end = { status: "failed", error: reason || "the agent rejected the task" };
    else if (state === "running") this.found.end = {};
    else if (state === "stopped") this.found.end = { status: "cancelled" };
  }
}

/** What the events of one conversation come to: actions are calls, and what was observed of them their results. */
export function turnsOfEvents(events: readonly Event[]): Turns {
  const reader = new EventReader();
  for (const event of events) reader.add(event);
  const { found } = reader;
  const isFinish = ({ message }: Turn): boolean =>
    Array.isArray(message.events) &&
    message.events.some((event) => isObject(event) && event.action === "finish");
  closeFinished(found.turns, isFinish);
  return found;
}
