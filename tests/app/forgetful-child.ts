// A program that opens Atlas and never closes it. The agent of its first run waits for something that does not keep a
// process alive; nobody waits for its second run.
import { defineAgent, openAtlas } from "../../app/main.ts";
import type { ConfigInput } from "../../configs/config-schema.ts";

const [, , config = "", first = "", second = ""] = process.argv;
const log = JSON.parse(config) as NonNullable<ConfigInput["log"]>;
const idle = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, 100).unref();
  });
const agent = defineAgent({
  name: "idle",
  async invoke() {
    await idle();
    return { content: "done" };
  },
});

const atlas = await openAtlas({ log });
const { status, durable } = await atlas.run({ task: first, agent });
console.log(status);
await durable;
console.log("durable");
await atlas.db.query("select count(*) from generate_series(1, 300000)");
console.log("queried");
if (atlas.host !== undefined) await atlas.settled();
console.log("settled");
void atlas.run({ task: second, agent });
