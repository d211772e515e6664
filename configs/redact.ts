const SECRET = /pass|secret|token|key|credential/i;

/**
 * A URL without what must not be shown: the password, and query parameters that sound like one.
 *
 * @example
 * redactUrl("postgresql://atlas:hunter2@db/atlas"); // "postgresql://atlas:***@db/atlas"
 */
export function redactUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    // What cannot be parsed may hold a password anywhere.
    return "(not a URL)";
  }
  if (url.password !== "") url.password = "***";
  for (const name of [...url.searchParams.keys()]) {
    if (SECRET.test(name)) url.searchParams.set(name, "***");
  }
  return url.href;
}
