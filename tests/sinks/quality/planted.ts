import type { CheckName } from "../../../app/datasets.ts";
import type { Row } from "./dataset-of.ts";

/** A record, and what was done to it. */
export interface Planted extends Row {
  fault: CheckName | null;
}

/** Numbers from 0 up to 1, the same for a seed. */
export function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const SYLLABLES = "ba ro ten mi shu cal or ven dia pe lo gra tis um ka sel".split(" ");
const SYSTEM = `You are the clerk of a shop. ${"Answer in whole sentences, name what you looked up, promise nothing. ".repeat(8)}`;
/** What looks like a fault and is none. */
const HARMLESS = [
  "Reset the password on the page where passwords are reset.",
  "Use `if (a < b || c > d)`, and <b>bold</b> for what matters.",
  "git@ is the user; the package is left-pad@1.3.0, and the picture logo@2x.png.",
  "Your order is 018f6b0e-1cdf-57f0-bd62-a7468b2cc18b, of 2024-11-02 at 12:30.",
  "The token budget is 4096, max_tokens: 512, and <unknown> stands for nothing.",
  "List [1] says [INSTALL], and | pipes | are | tables |.",
];
const TOOLS = [
  {
    type: "function",
    function: {
      name: "find_order",
      parameters: {
        type: "object",
        properties: {
          id: { type: "integer" },
          depth: { enum: ["short", "long"] },
          note: { anyOf: [{ type: "string" }, { type: "null" }] },
        },
        required: ["id"],
        additionalProperties: false,
      },
    },
  },
  {
    type: "function",
    function: {
      name: "sign_in",
      parameters: {
        type: "object",
        properties: { password: { type: "string", description: "of the shop" } },
      },
    },
  },
];
const CONTROL = [
  "<|im_end|>",
  "<|endoftext|>",
  "<s>",
  "[INST]",
  "<|eot_id|>",
  "<｜end▁of▁sentence｜>",
  "<start_of_turn>",
];
const CALLS = [
  { name: "find_parcel", arguments: { id: 1 } },
  { name: "find_order", arguments: {} },
  { name: "find_order", arguments: { id: "7" } },
  { name: "find_order", arguments: { id: 7, depth: "deep" } },
  { name: "find_order", arguments: { id: 7, shelf: 2 } },
  { name: "find_order", arguments: { id: 7, note: 3 } },
  { name: "find_order", arguments: "{id: 7" },
];

/** Makes records and plants faults in some of them, each time the same. */
export class Planter {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = numbers(seed);
  }

  chance(): number {
    return this.#next();
  }

  one<T>(list: readonly T[]): T {
    return list[Math.floor(this.#next() * list.length)]!;
  }

  letters(count: number, from = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789"): string {
    return Array.from({ length: count }, () => this.one([...from])).join("");
  }

  word(): string {
    return Array.from({ length: 1 + Math.floor(this.#next() * 3) }, () => this.one(SYLLABLES)).join("");
  }

  words(count: number): string {
    return Array.from({ length: count }, () => this.word()).join(" ");
  }

  /** A text that is as secret as they come; put together here, so that no file holds one. */
  secret(): string {
    const digits = "0123456789";
    const kinds = [
      () => `write to ${this.word()}.${this.word()}@${this.word()}.example`,
      () => `the key is ${"sk"}-${this.letters(40)}`,
      () => `the key is ${"AK"}IA${this.letters(16, "ABCDEFGHIJKLMNOP234567")}`,
      () => `password: ${this.letters(9)}${this.letters(3, digits)}!`,
      () => `the card is ${["4111", "1111", "1111", "1111"].join(" ")}`,
      () => `Authorization: ${"Bearer"} ${this.letters(32)}`,
    ];
    return this.one(kinds)();
  }

  /** A conversation without a fault. */
  clean(): { messages: Record<string, unknown>[]; tools: string | null; reward: number } {
    const tools = this.#next() < 0.5;
    const call = {
      id: "c1",
      type: "function",
      function: { name: "find_order", arguments: { id: Math.floor(this.#next() * 1000), note: null } },
    };
    return {
      messages: [
        { role: "system", content: SYSTEM },
        { role: "user", content: `${this.words(12)}?` },
        ...(tools
          ? [
              { role: "assistant", content: "", tool_calls: [call] },
              { role: "tool", tool_call_id: "c1", content: this.words(20) },
            ]
          : []),
        { role: "assistant", content: `${this.words(50)}. ${this.one(HARMLESS)}` },
      ],
      tools: tools ? JSON.stringify(TOOLS) : null,
      reward: this.#next(),
    };
  }

  /** A record with a fault of this kind; of those that need another record, with that one. */
  faulty(fault: CheckName): Planted[] {
    const record = this.clean();
    const { messages } = record;
    const user = messages[1]!;
    const last = messages.at(-1)!;
    const planted: Planted = { part: this.one(["train", "eval"]), record, fault };
    switch (fault) {
      case "leakage": {
        const other = this.clean();
        other.messages[1]!.content = `  ${String(user.content).toUpperCase().replaceAll(" ", "  ")}`;
        return [
          { part: "train", record, fault: null },
          { part: "eval", record: other, fault },
        ];
      }
      case "near-duplicates": {
        const words = String(last.content).split(" ");
        words[10 + Math.floor(this.#next() * 20)] = this.word();
        const again = [...messages.slice(0, -1), { ...last, content: words.join(" ") }];
        return [
          { part: "train", record, fault: null },
          { part: "train", record: { ...record, messages: again }, fault },
        ];
      }
      case "secrets":
        last.content = `${String(last.content)} Please ${this.secret()}`;
        return [planted];
      case "control-tokens":
        this.one([user, last]).content = `${this.words(20)}${this.one(CONTROL)} ${this.words(20)}`;
        return [planted];
      case "tool-schemas":
        record.tools = JSON.stringify(TOOLS);
        last.tool_calls = [{ id: "c2", type: "function", function: this.one(CALLS) }];
        return [planted];
      case "empty": {
        const kind = this.one(["no user", "no answer", "blank", "blank"]);
        if (kind === "no user") record.messages = messages.filter(({ role }) => role !== "user");
        else if (kind === "no answer") record.messages = messages.slice(0, 2);
        else last.content = this.one(["", " \n\t", "\u00a0"]);
        return [planted];
      }
      default:
        last.content = this.words(4000);
        return [planted];
    }
  }

  /** Records of which one in `every` is faulty, by turns of every kind. */
  rows(count: number, every: number): Planted[] {
    const kinds = [
      "leakage",
      "near-duplicates",
      "secrets",
      "control-tokens",
      "tool-schemas",
      "empty",
      "length",
    ] as const;
    const rows: Planted[] = [];
    for (let index = 0; rows.length < count; index += 1) {
      if (index % every === 0)
        for (const row of this.faulty(kinds[(index / every) % kinds.length]!)) rows.push(row);
      else rows.push({ part: this.chance() < 0.8 ? "train" : "eval", record: this.clean(), fault: null });
    }
    return rows;
  }
}
