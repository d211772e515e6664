import type { ChatMessage } from "../chat/message.ts";
import type { RecordedMessage } from "../formats/format.ts";
import { isSame, keyOf, type ModelCall } from "./model-call.ts";

/** Calls of a model that go on where the one before them ended: a conversation. */
export interface Thread {
  system: ChatMessage[];
  messages: RecordedMessage[];
  calls: ModelCall[];
}

/** How many messages a call was sent that a thread begins with. */
function sharedWith({ messages }: Thread, asked: readonly ChatMessage[]): number {
  let shared = 0;
  while (
    shared < messages.length &&
    shared < asked.length &&
    isSame(messages[shared]!.message, asked[shared]!)
  )
    shared += 1;
  return shared;
}

/** Whether a call was sent only what is new, as those are whose provider keeps the conversation. */
function answersLast({ messages }: Thread, asked: readonly ChatMessage[]): boolean {
  const [first] = asked;
  if (first?.role !== "tool" || !first.tool_call_id) return false;
  const calls = messages.at(-1)?.message.tool_calls ?? [];
  return calls.some(({ id }) => id === first.tool_call_id);
}

function saidIn({ work, asked, answered }: ModelCall, known: number): RecordedMessage[] {
  const isFirst = known === 0;
  const before = asked.slice(known).map((message, index, all): RecordedMessage => {
    // What stood before the last question was said before the recording began.
    const isNow = !isFirst || index === all.length - 1;
    return { message, at: isNow ? work.start : undefined };
  });
  const counted = answered.findLastIndex(({ role }) => role === "assistant");
  const after = answered.map(
    (message, index): RecordedMessage => ({
      message,
      at: work.end ?? work.start,
      ...(index === counted && { usage: work.usage, cost: work.cost }),
    }),
  );
  return [...before, ...after];
}

const startOf = ({ work }: ModelCall): number => work.start ?? work.end ?? 0;

/** The thread that shares the most with a call, the earliest of them. */
function bestOf(threads: readonly Thread[], asked: readonly ChatMessage[]): Shared | undefined {
  let best: Shared | undefined;
  for (const thread of threads) {
    const shared = sharedWith(thread, asked);
    if (shared > (best?.shared ?? 0)) best = { thread, shared };
  }
  return best;
}

interface Shared {
  thread: Thread;
  /** At least one. */
  shared: number;
}

/** The threads that calls make. Calls that were sent the same, or that went back, are threads of their own. */
export function threadsOf(calls: readonly ModelCall[]): Thread[] {
  const threads: Thread[] = [];
  // Only threads that begin alike can share anything: a trace may hold thousands that do not.
  const byBeginning = new Map<string, Thread[]>();
  for (const call of [...calls].sort((a, b) => startOf(a) - startOf(b))) {
    const { asked, system } = call;
    const [first] = asked;
    const alike = first === undefined ? [] : (byBeginning.get(keyOf(first)) ?? []);
    const best = bestOf(alike, asked);
    const waiting = best === undefined ? threads.find((thread) => answersLast(thread, asked)) : undefined;
    if (waiting !== undefined) {
      for (const each of saidIn({ ...call, asked }, 0).map(atOnce(call))) waiting.messages.push(each);
      waiting.calls.push(call);
      if (system.length > 0) waiting.system = system;
    } else if (best !== undefined && best.shared === best.thread.messages.length) {
      for (const each of saidIn(call, best.shared)) best.thread.messages.push(each);
      best.thread.calls.push(call);
      if (system.length > 0) best.thread.system = system;
    } else {
      const shared = best?.shared ?? 0;
      const before = best?.thread.messages.slice(0, shared) ?? [];
      const thread = { system, messages: [...before, ...saidIn(call, shared)], calls: [call] };
      threads.push(thread);
      const key = keyOf(thread.messages[0]!.message);
      const others = byBeginning.get(key);
      if (others === undefined) byBeginning.set(key, [thread]);
      else others.push(thread);
    }
  }
  return threads;
}

/** Of messages that were sent as news, all were sent with the call. */
const atOnce =
  ({ work }: ModelCall) =>
  (message: RecordedMessage): RecordedMessage => ({ ...message, at: message.at ?? work.start });
