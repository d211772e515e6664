import { AtlasError } from "../errors/atlas-error.ts";

const MIB = 1024 * 1024;

const tooLarge = (maxBytes: number): AtlasError => {
  const most = maxBytes >= MIB ? `${Math.round(maxBytes / MIB)} MiB` : `${maxBytes} bytes`;
  return new AtlasError("ATLAS_ANSWER_TOO_LARGE", `the server answered with more than ${most}`);
};

/** A body that fails with ATLAS_ANSWER_TOO_LARGE where it goes beyond so many bytes; what comes after is not read. */
function limited(body: ReadableStream<Uint8Array>, maxBytes: number): ReadableStream<Uint8Array> {
  let size = 0;
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(piece, controller) {
        size += piece.byteLength;
        if (size > maxBytes) controller.error(tooLarge(maxBytes));
        else controller.enqueue(piece);
      },
    }),
  );
}

/**
 * The text of an answer, as far as it may go: a server that answers without end must not take all memory.
 *
 * @throws AtlasError ATLAS_ANSWER_TOO_LARGE, or what broke the connection
 * @example
 * const text = await limitedText(await fetch(url), 1024 * 1024);
 */
export async function limitedText({ body }: Response, maxBytes: number): Promise<string> {
  return body === null ? "" : new Response(limited(body, maxBytes)).text();
}

/**
 * `fetch` whose answers have a limit, for clients that read them themselves, as streams or as a whole.
 *
 * @example
 * new OpenAI({ fetch: limitedFetch(256 * 1024 * 1024) });
 */
export function limitedFetch(maxBytes: number): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    const { body, statusText, headers } = response;
    if (body === null) return response;
    // Some servers answer with a status that there is not.
    const status = response.status >= 200 && response.status <= 599 ? response.status : 599;
    return new Response(limited(body, maxBytes), { status, statusText, headers });
  };
}
