import type { ModelReply, ModelRequest } from "../models/model-client.ts";
import { modelError } from "../models/model-error.ts";
import type { AgentContext } from "./agent.ts";
import { listenTo } from "./recorded-stream.ts";
import { watchModel } from "./watched-call.ts";

/** Gathers the pieces of a streamed answer. */
export interface Joiner<P> {
  add(piece: P): void;
  reply(): ModelReply;
}

/** How the calls of a provider's SDK are read. */
export interface CreateFormat<P> {
  provider: string;
  requestOf(params: Record<string, unknown>): ModelRequest;
  replyOf(answer: unknown): ModelReply;
  joiner(): Joiner<P>;
}

type Create = (params: Record<string, unknown>, ...rest: unknown[]) => PromiseLike<unknown>;

const isStream = <P>(answer: unknown): answer is AsyncIterable<P> =>
  typeof answer === "object" && answer !== null && Symbol.asyncIterator in answer;

/** The key of an SDK's client: providers repeat the one that they refuse. */
function keyOf(client: object): string | undefined {
  const { apiKey } = client as { apiKey?: unknown };
  return typeof apiKey === "string" ? apiKey : undefined;
}

/** The function that creates an answer, and records that it did. What it answers and throws stays as it is. */
export function recordedCreate<P>(
  ctx: AgentContext,
  create: Create,
  format: CreateFormat<P>,
  client: object,
): Create {
  const { provider } = format;
  return async (params, ...rest) => {
    const model = String(params["model"]);
    const call = watchModel(ctx, { provider, model }, format.requestOf(params));
    const failed = (error: unknown) =>
      call.fail(modelError(error, { provider, model, apiKey: keyOf(client) }));
    const ended = async (read: () => ModelReply): Promise<void> => {
      let reply: ModelReply;
      try {
        reply = read();
      } catch (error) {
        return failed(error);
      }
      await call.end(reply);
    };
    let answer: unknown;
    try {
      answer = await create(params, ...rest);
    } catch (error) {
      await failed(error);
      throw error;
    }
    if (!isStream<P>(answer)) {
      await ended(() => format.replyOf(answer));
      return answer;
    }
    const joiner = format.joiner();
    return listenTo<P, AsyncIterable<P>>(answer, {
      piece: (piece) => joiner.add(piece),
      end: () => ended(() => joiner.reply()),
      fail: failed,
    });
  };
}

/** An object of which one method, however deep, is another; the rest is as it was. */
export function withMethod<T extends object>(
  target: T,
  path: readonly string[],
  replace: (method: Create) => Create,
): T {
  const [name, ...deeper] = path;
  return new Proxy(target, {
    get(object, key) {
      const value: unknown = Reflect.get(object, key, object);
      if (key === name && deeper.length === 0) return replace((value as Create).bind(object));
      if (key === name) return withMethod(value as object, deeper, replace);
      return typeof value === "function" ? value.bind(object) : value;
    },
  });
}
