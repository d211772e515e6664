import type { Response, ResponseStreamEvent } from "openai/resources/responses/responses";
import type { ModelReply } from "../../models/model-client.ts";
import { withHalfCall } from "../../models/sound-calls.ts";
import { CALLS, responsesReply } from "./responses-reply.ts";

type Fields = Record<string, unknown>;

/** An item in the making. */
interface Growing {
  item: Fields;
  /** The text, or what a tool is called with, as far as it came. */
  text: string;
  done: boolean;
}

/** The field in which a call has what its tool gets. */
const INPUT_OF: Readonly<Record<string, string>> = { function_call: "arguments", custom_tool_call: "input" };

function itemOf({ item, text, done }: Growing): Fields {
  const input = INPUT_OF[String(item["type"])];
  if (done || text === "") return item;
  if (input !== undefined) return { ...item, [input]: text };
  return item["type"] === "message" ? { ...item, content: [{ type: "output_text", text }] } : item;
}

/** Calls have ids of their own, also where a server gives several items one. */
const sameItem = (a: Fields, b: Fields): boolean =>
  a["call_id"] === b["call_id"] && a["id"] === b["id"] && a["type"] === b["type"];

/**
 * Joins the events of a streamed answer of OpenAI's Responses API. The last event has all of the answer; before it, and
 * where it comes without output, there are the items that came so far.
 *
 * @example
 * const joiner = new ResponseJoiner();
 * for await (const event of stream) joiner.add(event);
 * const reply = joiner.reply();
 */
export class ResponseJoiner {
  #response: Response | undefined;
  readonly #items: Growing[] = [];

  add(event: ResponseStreamEvent): void {
    if ("response" in event) this.#response = event.response;
    if (event.type === "response.output_item.added") this.#growing(event.item as unknown as Fields);
    if (event.type === "response.output_item.done") {
      const item = event.item as unknown as Fields;
      Object.assign(this.#growing(item), { item, done: true });
    }
    if (event.type === "response.output_text.delta" || event.type === "response.refusal.delta")
      this.#of(event.item_id, "message").text += event.delta;
    if (event.type === "response.function_call_arguments.delta")
      this.#of(event.item_id, "function_call").text += event.delta;
    if (event.type === "response.custom_tool_call_input.delta")
      this.#of(event.item_id, "custom_tool_call").text += event.delta;
  }

  /** The item, begun where it is new. */
  #growing(item: Fields): Growing {
    return this.#items.findLast((known) => sameItem(known.item, item)) ?? this.#begin(item);
  }

  /** The item that a piece goes on with. */
  #of(id: string, type: string): Growing {
    const ofType = this.#items.filter(({ item }) => item["type"] === type);
    return (
      ofType.findLast(({ item, done }) => !done && item["id"] === id) ??
      ofType.findLast(({ item }) => item["id"] === id) ??
      this.#begin({ type, id })
    );
  }

  #begin(item: Fields): Growing {
    const growing = { item, text: "", done: false };
    this.#items.push(growing);
    return growing;
  }

  /** What came so far, as one answer. */
  reply(): ModelReply {
    const response = this.#response;
    const { status } = response ?? {};
    const isHalf = response === undefined || status === "in_progress" || status === "queued";
    const isSilent = !Array.isArray(response?.output) || response.output.length === 0;
    if (!isHalf && !isSilent) return responsesReply(response);
    if (response === undefined && this.#items.length === 0) return responsesReply(response as never);
    const output = this.#items.filter(({ item }) => named(item)).map(itemOf);
    const { finishReason, ...half } = responsesReply({ ...response, output } as unknown as Response);
    if (!isHalf) return { ...half, ...(finishReason === undefined ? {} : { finishReason }) };
    const last = this.#items.at(-1);
    return last !== undefined && !last.done && CALLS.includes(last.item["type"]) ? withHalfCall(half) : half;
  }
}

/** Of a call without its beginning nobody knows whom it calls. */
const named = (item: Fields): boolean => !CALLS.includes(item["type"]) || typeof item["name"] === "string";
