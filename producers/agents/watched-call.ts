import { AsyncLocalStorage } from "node:async_hooks";
import { isAtlasError } from "../../errors/atlas-error.ts";
import type { ModelReply, ModelRequest } from "../../models/model-client.ts";
import { type Asked, modelError } from "../../models/model-error.ts";
import type { AgentContext } from "./agent.ts";
import { keepFailure } from "./failed-calls.ts";

/** A call that somebody else makes, recorded while it goes on. */
export interface WatchedCall<T> {
  /** Resolves when the start is recorded; the recorder may ask for patience before. Never rejects. */
  begun: Promise<void>;
  /** Runs code so that calls in it have this one as their parent. */
  enter: <R>(work: () => R) => R;
  end(result: T): Promise<void>;
  fail(error: unknown): Promise<void>;
}

/** Begins to record a model call of somebody else's. */
export function watchModel(ctx: AgentContext, asked: Asked, request: ModelRequest): WatchedCall<ModelReply> {
  const { provider, model } = asked;
  const { promise, resolve, reject } = Promise.withResolvers<ModelReply>();
  promise.catch(() => {});
  const begun = Promise.withResolvers<void>();
  // How long somebody else's call may take is theirs to say.
  const limitMs = Number.POSITIVE_INFINITY;
  const complete = (): Promise<ModelReply> => {
    begun.resolve();
    return promise;
  };
  const client = { provider, model, simulated: false, limitMs, complete };
  const recorded = ctx.model(client, request).then(
    () => {},
    () => {},
  );
  return {
    begun: Promise.race([begun.promise, recorded]),
    enter: (work) => work(),
    end(reply) {
      resolve(reply);
      return recorded;
    },
    fail(error) {
      const failure = isAtlasError(error) ? error : modelError(error, asked);
      keepFailure(error, failure);
      reject(failure);
      return recorded;
    },
  };
}

/** Begins to record a tool call of somebody else's. */
export function watchTool(ctx: AgentContext, name: string, args: unknown): WatchedCall<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  promise.catch(() => {});
  const begun = Promise.withResolvers<void>();
  let inside: ReturnType<typeof AsyncLocalStorage.snapshot> | undefined;
  const recorded = ctx
    .tool(name, args, () => {
      inside = AsyncLocalStorage.snapshot();
      begun.resolve();
      return promise;
    })
    .then(
      () => {},
      () => {},
    );
  return {
    begun: Promise.race([begun.promise, recorded]),
    enter: (work) => (inside === undefined ? work() : inside(work)),
    end(result) {
      resolve(result);
      return recorded;
    },
    fail(error) {
      reject(error);
      return recorded;
    },
  };
}
