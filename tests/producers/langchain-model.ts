import type { CallbackManagerForLLMRun } from "@langchain/core/callbacks/manager";
import { BaseChatModel, type BindToolsInput } from "@langchain/core/language_models/chat_models";
import { AIMessage, AIMessageChunk, type BaseMessage, type UsageMetadata } from "@langchain/core/messages";
import { ChatGenerationChunk, type ChatResult } from "@langchain/core/outputs";
import { convertToOpenAITool } from "@langchain/core/utils/function_calling";
import OpenAI from "openai";
import { langchainMessage } from "../../producers/agents/langchain-messages.ts";

type Asked = OpenAI.ChatCompletionMessageParam[];
type Offered = OpenAI.ChatCompletionTool[];
type Options = BaseChatModel["ParsedCallOptions"] & { tools?: Offered };

const countsOf = (usage: OpenAI.CompletionUsage): UsageMetadata => ({
  input_tokens: usage.prompt_tokens,
  output_tokens: usage.completion_tokens,
  total_tokens: usage.total_tokens,
});

/** A chat model of LangChain.js over OpenAI's chat API, as a provider's package would bring one. */
export class ServedChatModel extends BaseChatModel {
  readonly #client: OpenAI;
  readonly model: string;
  /** Whether `invoke` streams inside, as `streaming: true` of LangChain's own models does. */
  readonly streaming: boolean;

  constructor(baseURL: string, { model = "m", streaming = false } = {}) {
    super({});
    this.#client = new OpenAI({ apiKey: "k", baseURL, maxRetries: 0 });
    this.model = model;
    this.streaming = streaming;
  }

  override _llmType(): string {
    return "served";
  }

  override invocationParams(options?: Options) {
    return { model: this.model, temperature: 0.25, tools: options?.tools };
  }

  override bindTools(tools: BindToolsInput[]) {
    const offered = tools.map((tool) =>
      convertToOpenAITool(tool as Parameters<typeof convertToOpenAITool>[0]),
    );
    return this.withConfig({ tools: offered } as Partial<Options>);
  }

  override async _generate(
    messages: BaseMessage[],
    options: Options,
    run?: CallbackManagerForLLMRun,
  ): Promise<ChatResult> {
    if (this.streaming) return this.#joined(messages, options, run);
    const { choices, usage, model } = await this.#client.chat.completions.create(
      { ...this.#ask(messages, options), stream: false },
      { signal: options.signal },
    );
    const { message, finish_reason } = choices[0]!;
    const text = message.content ?? "";
    const calls = message.tool_calls ?? [];
    const said = new AIMessage({
      content: text,
      tool_calls: calls.map((call) => {
        if (call.type !== "function") throw new Error("a call of a kind that was not offered");
        return { id: call.id, name: call.function.name, args: JSON.parse(call.function.arguments) };
      }),
      response_metadata: { model_name: model, finish_reason },
    });
    if (usage) Object.assign(said, { usage_metadata: countsOf(usage) });
    return { generations: [{ text, message: said }] };
  }

  async #joined(messages: BaseMessage[], options: Options, run?: CallbackManagerForLLMRun) {
    let whole: ChatGenerationChunk | undefined;
    for await (const piece of this._streamResponseChunks(messages, options, run))
      whole = whole === undefined ? piece : whole.concat(piece);
    return { generations: [whole!] };
  }

  override async *_streamResponseChunks(
    messages: BaseMessage[],
    options: Options,
    run?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    const stream = await this.#client.chat.completions.create(
      { ...this.#ask(messages, options), stream: true },
      { signal: options.signal },
    );
    for await (const { choices, usage, model } of stream) {
      const choice = choices[0];
      const text = choice?.delta.content ?? "";
      const finish = choice?.finish_reason;
      const message = new AIMessageChunk({
        content: text,
        tool_call_chunks: (choice?.delta.tool_calls ?? []).map(({ index, id, function: called }) => ({
          ...{ index, type: "tool_call_chunk" as const },
          ...(id === undefined ? {} : { id }),
          ...(called?.name === undefined ? {} : { name: called.name }),
          args: called?.arguments ?? "",
        })),
        response_metadata: finish ? { model_name: model, finish_reason: finish } : {},
      });
      if (usage) Object.assign(message, { usage_metadata: countsOf(usage) });
      yield new ChatGenerationChunk({ text, message });
      await run?.handleLLMNewToken(text);
    }
  }

  #ask(messages: BaseMessage[], { tools }: Options) {
    return {
      model: this.model,
      messages: messages.map(langchainMessage) as unknown as Asked,
      ...(tools === undefined ? {} : { tools }),
    };
  }
}
