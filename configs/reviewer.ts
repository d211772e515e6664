import { userInfo } from "node:os";

/** Who decides: `ATLAS_REVIEWER`, else the user of the operating system. */
export function reviewer(): string {
  const named = process.env.ATLAS_REVIEWER;
  if (named !== undefined && named !== "") return named;
  try {
    return userInfo().username;
  } catch {
    return "unknown";
  }
}
