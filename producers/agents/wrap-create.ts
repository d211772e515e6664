import type { ModelReply, ModelRequest } from "../../models/model-client.ts";
import { sendable } from "../../models/sendable.ts";
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

/** What an SDK's own helpers ask of the promise of an answer, beside what a plain one has. */
interface SdkPromise extends PromiseLike<unknown> {
  withResponse?(): Promise<object>;
  /** What was asked, and the head of the response. */
  responsePromise?: Promise<unknown>;
}

type Unwrap = (answer: unknown, response: unknown) => unknown;

/** The recorded answer, as the SDK's helpers for streams and parsed answers want it. */
function likeSdk(recorded: Promise<unknown>, asked: SdkPromise): Promise<unknown> {
  return Object.assign(recorded, {
    async withResponse(): Promise<object> {
      const [data, response] = await Promise.all([recorded, asked.withResponse?.()]);
      return { ...response, data };
    },
    _thenUnwrap: (unwrap: Unwrap) =>
      likeSdk(
        recorded.then(async (answer) => unwrap(answer, await asked.responsePromise)),
        asked,
      ),
  });
}

/** The function that creates an answer, and records that it did. What it answers and throws stays as it is. */
export function recordedCreate<P>(
  ctx: AgentContext,
  create: Create,
  format: CreateFormat<P>,
  client: object,
): Create {
  const { provider } = format;

  async function recorded(asked: PromiseLike<unknown>, params: Record<string, unknown>): Promise<unknown> {
    const model = String(params["model"]);
    const call = watchModel(ctx, { provider, model, apiKey: keyOf(client) }, format.requestOf(params));
    const failed = (error: unknown) => call.fail(error);
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
      answer = await asked;
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
  }

  return (given, ...rest) => {
    const params = sendable(given);
    const asked = create(params, ...rest);
    return likeSdk(recorded(asked, params), asked);
  };
}

/** Where a client's method is, and what it becomes. */
interface Replacement {
  path: readonly string[];
  replace(method: Create): Create;
}

/**
 * A client of which some methods, however deep, are others; the rest is as it was. Its helpers find the replaced
 * methods too: they ask their own part of the client for them, or the client that this part belongs to.
 */
export function withMethods<T extends object>(client: T, replacements: readonly Replacement[]): T {
  const root: T = part(client, replacements, () => root, true);
  return root;
}

function part<T extends object>(
  target: T,
  replacements: readonly Replacement[],
  root: () => object,
  isRoot = false,
): T {
  const proxy: T = new Proxy(target, {
    get(object, key) {
      const value: unknown = Reflect.get(object, key, object);
      if (!isRoot && key === "_client") return root();
      const here = replacements.filter(({ path }) => path[0] === key);
      const method = here.find(({ path }) => path.length === 1);
      if (method !== undefined) return method.replace((value as Create).bind(object));
      if (here.length > 0 && typeof value === "object" && value !== null) {
        const deeper = here.map(({ path, replace }) => ({ path: path.slice(1), replace }));
        return part(value, deeper, root);
      }
      // The client itself has private fields, which a proxy has not.
      return typeof value === "function" ? value.bind(isRoot ? object : proxy) : value;
    },
  });
  return proxy;
}
