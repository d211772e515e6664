import { isObject } from "../../traces/clean-text.ts";
import { type LogEvent, textOr } from "./agent-log.ts";
import { answersIn, isMessageEvent, partsOf, sessionIn, textIn } from "./claude-code-events.ts";

/** The events of one agent: the main one of a session, or a sub-agent. */
export interface Thread {
  session: string | undefined;
  /** Undefined for the main agent. */
  agent: string | undefined;
  events: LogEvent[];
}

/** What a log holds. */
export interface Threads {
  threads: Thread[];
  /** Lines that are no events. */
  unread: unknown[];
  /** What lines that are written twice say besides. */
  repeated: LogEvent[];
}

const isSubAgent = ({ isSidechain, parent_tool_use_id }: LogEvent): boolean =>
  isSidechain === true || typeof parent_tool_use_id === "string";

/** Leaves out lines that a resumed session wrote once more. */
function withoutRepeats(events: readonly LogEvent[]): Pick<Threads, "repeated"> & { events: LogEvent[] } {
  const known = new Map<string, LogEvent>();
  const repeated: LogEvent[] = [];
  const kept = events.filter((event) => {
    const id = textOr(event.uuid, undefined);
    const first = id === undefined ? undefined : known.get(id);
    if (id !== undefined && first === undefined) known.set(id, event);
    if (first === undefined || JSON.stringify(first.message) !== JSON.stringify(event.message)) return true;
    const differing = Object.entries(event).filter(
      ([name, value]) => JSON.stringify(first[name]) !== JSON.stringify(value),
    );
    repeated.push({ uuid: id, ...Object.fromEntries(differing) });
    return false;
  });
  return { events: kept, repeated };
}

/** Assigns each event to the agent that it belongs to, in the order in which they were written. */
class ThreadFinder {
  readonly threads: Thread[] = [];
  readonly #byEvent = new Map<string, Thread>();
  readonly #byAgent = new Map<string, Thread>();
  readonly #bySession = new Map<string, Thread>();
  #last: Thread | undefined;

  add(event: LogEvent): void {
    const thread = isSubAgent(event) ? this.#subAgent(event) : this.#main(event);
    thread.events.push(event);
    const id = textOr(event.uuid, undefined);
    if (id !== undefined && !this.#byEvent.has(id)) this.#byEvent.set(id, thread);
    if (!isSubAgent(event)) this.#last = thread;
  }

  #begin(session: string | undefined, agent: string | undefined): Thread {
    const thread: Thread = { session, agent, events: [] };
    this.threads.push(thread);
    return thread;
  }

  #parentOf({ parentUuid, logicalParentUuid, leafUuid, messageId }: LogEvent): Thread | undefined {
    const names = [parentUuid, logicalParentUuid, leafUuid, messageId];
    for (const name of names) {
      const found = typeof name === "string" ? this.#byEvent.get(name) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** A session that goes on from another one of the file is one conversation with it. */
  #main(event: LogEvent): Thread {
    const session = sessionIn(event);
    const parent = this.#parentOf(event);
    const begun = session === undefined ? this.#last : this.#bySession.get(session);
    const thread = (parent?.agent === undefined ? parent : undefined) ?? begun ?? this.#nameless();
    if (session !== undefined) {
      thread.session ??= session;
      if (!this.#bySession.has(session)) this.#bySession.set(session, thread);
    }
    return thread;
  }

  /** What stands before the first event that names its session belongs to that session. */
  #nameless(): Thread {
    const found = this.threads.find(({ agent, session }) => agent === undefined && session === undefined);
    return found ?? this.#begin(undefined, undefined);
  }

  #subAgent(event: LogEvent): Thread {
    const session = sessionIn(event);
    const name = textOr(event.agentId, undefined) ?? textOr(event.parent_tool_use_id, undefined);
    const parent = this.#parentOf(event);
    const known = name === undefined ? undefined : this.#byAgent.get(`${session} ${name}`);
    const thread =
      known ??
      (parent?.agent === undefined ? undefined : parent) ??
      this.#cutOff(event, session) ??
      this.#begin(session, textOr(event.uuid, "sub-agent"));
    if (name !== undefined && known === undefined) {
      this.#byAgent.set(`${session} ${name}`, thread);
      thread.agent = name;
    }
    return thread;
  }

  /** The sub-agent that an event goes on with whose parent is in another file, or nowhere. */
  #cutOff({ parentUuid }: LogEvent, session: string | undefined): Thread | undefined {
    if (typeof parentUuid !== "string" || this.#byEvent.has(parentUuid)) return undefined;
    const named = new Set(this.#byAgent.values());
    return this.threads.findLast(
      (thread) => thread.agent !== undefined && thread.session === session && !named.has(thread),
    );
  }
}

/** Splits the values of a log into its agents. */
export function threadsOf(values: readonly unknown[]): Threads {
  const isEvent = (value: unknown): value is LogEvent => isObject(value) && typeof value.type === "string";
  const { events, repeated } = withoutRepeats(values.filter(isEvent));
  const finder = new ThreadFinder();
  for (const event of events) finder.add(event);
  return { threads: finder.threads, unread: values.filter((value) => !isEvent(value)), repeated };
}

/** The call by which an agent began a sub-agent, where the log has it. */
export function beginningOf(thread: Thread, threads: readonly Thread[]): LogEvent | undefined {
  const others = threads.filter((each) => each !== thread).flatMap(({ events }) => events);
  const answer = others.find(({ toolUseResult, agentId, isSidechain }) => {
    const told = isObject(toolUseResult) ? toolUseResult.agentId : undefined;
    return told === thread.agent || (agentId === thread.agent && isSidechain !== true);
  });
  const id = answer === undefined ? thread.agent : answersIn(answer)[0];
  const first = thread.events.find(({ type }) => type === "user");
  const prompt = first === undefined ? undefined : textIn(first);
  return others
    .filter(isMessageEvent)
    .flatMap(partsOf)
    .find(
      ({ type, id: call, input }) =>
        type === "tool_use" && (call === id || (isObject(input) && !!prompt && input.prompt === prompt)),
    );
}
