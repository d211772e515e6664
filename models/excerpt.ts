/**
 * A text that fits into a prompt: one that is too long loses its middle, and says so.
 *
 * @param limit most characters that are kept
 * @example
 * excerpt(log, 8000);
 */
export function excerpt(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const head = Math.ceil(limit / 2);
  const tail = limit - head;
  return `${text.slice(0, head)}\n[… ${text.length - limit} characters left out …]\n${text.slice(text.length - tail)}`;
}
