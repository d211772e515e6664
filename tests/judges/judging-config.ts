import type { AtlasConfig, ConfigInput } from "../../configs/config-schema.ts";
import { loadConfig } from "../../configs/load-config.ts";

/** Two samples of one judge, asked after the run at this address. */
export function judgingConfig(url: string): AtlasConfig {
  const smallModel = { provider: "openai", model: "small", baseUrl: url, apiKeyEnv: "PATH", retries: 0 };
  const judges = { mode: "deferred", smallModel, temperatures: [0.2, 0.8], list: [{ name: "process" }] };
  return loadConfig({ judges } as ConfigInput, process.env);
}
