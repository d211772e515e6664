import { writeFileSync } from "node:fs";
import { type Random, seeded } from "./random.ts";

const AGENTS = ["shop", "library", "garage"] as const;
const WISHES = ["price", "stock", "opening hours", "delivery", "refund", "size"] as const;
const THINGS = ["lamp", "ladder", "kettle", "tent", "atlas", "bicycle", "globe"] as const;

/** Conversations of one file, so that a kill mostly leaves some of them half-way in the log. */
const CONVERSATIONS = 40;
/** Longer than one message of the log may be: its content continues in further events. */
const LONG = 600_000;

const time = (random: Random, index: number): string =>
  new Date(Date.UTC(2025, 2, 1, 8) + index * 3_600_000 + random.below(600_000)).toISOString();

function turns(random: Random, thing: string, long: boolean): unknown[] {
  return Array.from({ length: 1 + random.below(6) }).flatMap((_, turn) => {
    const id = `call_${turn}`;
    const name = random.pick(["find", "count", "look_up"]);
    const call = { id, type: "function", function: { name, arguments: JSON.stringify({ thing, turn }) } };
    const content =
      long && turn === 0
        ? `${thing} `.repeat(LONG / (thing.length + 1))
        : `${random.below(1000)} – ${thing} ☂`;
    return [
      { role: "assistant", content: null, tool_calls: [call] },
      { role: "tool", tool_call_id: id, name, content },
    ];
  });
}

function conversation(random: Random, index: number): unknown {
  const [agent, wish, thing] = [random.pick(AGENTS), random.pick(WISHES), random.pick(THINGS)];
  // Every fifth was recorded without times, every seventh without a reward.
  const timed = index % 5 === 4 ? {} : { created_at: time(random, index) };
  const rewarded = index % 7 === 6 ? {} : { reward: random.below(101) / 100 };
  return {
    id: `run-${index}`,
    task: `Find out the ${wish} of a ${thing}`,
    ...timed,
    ...rewarded,
    metadata: { agent, learning_key: `${agent}-help`, trial: random.below(4) },
    messages: [
      { role: "system", content: `You help in a ${agent}.` },
      { role: "user", content: `What about the ${wish} of the ${thing}?` },
      ...turns(random, thing, index === 17),
      { role: "assistant", content: `That is all about the ${thing}.` },
    ],
  };
}

/** Writes a file of recorded conversations, the same for the same seed. */
export function writeConversations(file: string, seed: number, count = CONVERSATIONS): void {
  const random = seeded(seed);
  const rows = Array.from({ length: count }, (_, index) => JSON.stringify(conversation(random, index)));
  writeFileSync(file, `${rows.join("\n")}\n`);
}
