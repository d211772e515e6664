import type { JsonText } from "../../schemas/generated/events.ts";
import type { ChatMessage } from "../chat/message.ts";

/** A tool call of a recorded conversation. */
export interface RecordedToolCall {
  /** Unique in the session: the recorded id, numbered where it comes again, or one that was made up. */
  callId: string;
  stepId: number;
  name: string;
  arguments: JsonText;
  /** Index of the message with its result; undefined where there is none. */
  resultAt: number | undefined;
}

/** A call whose result was not there yet. */
export interface OpenCall {
  call: RecordedToolCall;
  /** As recorded. */
  id: string | undefined;
  isAnswered: boolean;
}

/** The calls of one turn, and how many of them are known to be answered. */
interface Turn {
  calls: OpenCall[];
  from: number;
}

/** Open calls: those of the latest turn first, those of one turn in order. */
class LatestFirst {
  readonly #turns: Turn[] = [];

  add(call: OpenCall): void {
    const last = this.#turns.at(-1);
    if (last?.calls[0]?.call.stepId === call.call.stepId) last.calls.push(call);
    else this.#turns.push({ calls: [call], from: 0 });
  }

  /** The first that is still open. What is answered is passed once and never again, so that long recordings stay fast. */
  first(): OpenCall | undefined {
    for (let turn = this.#turns.at(-1); turn !== undefined; turn = this.#turns.at(-1)) {
      while (turn.from < turn.calls.length) {
        const call = turn.calls[turn.from]!;
        if (!call.isAnswered) return call;
        turn.from += 1;
      }
      this.#turns.pop();
    }
    return undefined;
  }
}

function addTo(lists: Map<string, LatestFirst>, key: string, call: OpenCall): void {
  const list = lists.get(key) ?? new LatestFirst();
  lists.set(key, list);
  list.add(call);
}

/** The calls that wait for their results. */
export class OpenCalls {
  readonly #all = new LatestFirst();
  readonly #byId = new Map<string, LatestFirst>();
  readonly #byName = new Map<string, LatestFirst>();

  add(call: OpenCall): void {
    this.#all.add(call);
    addTo(this.#byName, call.call.name, call);
    if (call.id !== undefined) addTo(this.#byId, call.id, call);
  }

  /** Takes the call that a message answers: by id, else by name, else in order. */
  take({ tool_call_id, name }: ChatMessage): OpenCall | undefined {
    const list = tool_call_id ? this.#byId.get(tool_call_id) : name ? this.#byName.get(name) : this.#all;
    const found = list?.first();
    if (found !== undefined) found.isAnswered = true;
    return found;
  }
}
