/** Whether it is what arguments are: an object. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Input as Anthropic takes it back: an object. Of what could not be read the result of the call tells. */
export function inputOf(given: unknown): Record<string, unknown> {
  if (isObject(given)) return given;
  try {
    const parsed: unknown = JSON.parse(String(given));
    return isObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}
