const EVENT = process.env["npm_lifecycle_event"];

/** How to call `atlas` again from where it was called: through npx, or within `npm start`, it is not on the path. */
export const ATLAS = EVENT === undefined ? "atlas" : EVENT === "npx" ? "npx atlas-sdk" : "npx atlas";
