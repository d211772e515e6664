const OFF = new Set(["", "0", "false", "off"]);

/** Whether `ATLAS_OFFLINE_MODE` asks for simulated models in place of all others. */
export const isOffline = (env: NodeJS.ProcessEnv = process.env): boolean =>
  !OFF.has((env.ATLAS_OFFLINE_MODE ?? "").trim().toLowerCase());
