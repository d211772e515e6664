/** Runs sessions, or hosts their judging until it is killed. Arguments: folder, url of the judge, sessions to run. */
import { join } from "node:path";
import { openAtlas } from "../../app/open-atlas.ts";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";

const [folder = "", url = "", count = "0"] = process.argv.slice(2);
const atlas = await openAtlas({
  log: { kind: "embedded", path: join(folder, ".atlas") },
  judges: {
    mode: "deferred",
    smallModel: { provider: "openai", model: "small", baseUrl: url, apiKeyEnv: "PATH", retries: 0 },
    temperatures: [0.2, 0.8],
    list: [{ name: "process" }, { name: "helpfulness", scope: "both" }],
  },
});
// What the dead were judging is theirs for a minute yet; nobody waits for it here.
await atlas.db.query("update atlas_log.queue set due_at = now()");
const agent = functionAgent(async (task) => `answer to ${task}`, { name: "mine" });
for (let n = 0; n < Number(count); n += 1) {
  const result = await atlas.run({ task: `Task ${n}`, agent, teacher: simulatedModel(), learningKey: "k" });
  await result.durable;
}
process.stdout.write("ready\n");
setInterval(() => undefined, 1000);
