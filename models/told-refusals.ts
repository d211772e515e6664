/** What SDKs look for in the body of a refusal. */
interface Refusal {
  error?: unknown;
}

function refusalIn(text: string): Refusal | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null && !Array.isArray(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

/**
 * `fetch` whose refusals say why: the openai SDK reads `error` alone, and servers that are not OpenAI's put their reason
 * into `detail` or `message`.
 *
 * @example
 * new OpenAI({ fetch: toldRefusals(fetch) });
 */
export function toldRefusals(ask: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await ask(input, init);
    if (response.status < 400) return response;
    const text = await response.text();
    const body = refusalIn(text);
    const told =
      body === undefined || body.error ? text : JSON.stringify({ error: { message: JSON.stringify(body) } });
    const { status, statusText, headers } = response;
    return new Response(told, { status, statusText, headers });
  };
}
