/** Judges the sessions of a place until it is killed. Arguments: the place as JSON, url of the judge. */
import { startJudging } from "../../app/start-judging.ts";
import type { Place } from "../soak/place.ts";
import { openPlace } from "../soak/place.ts";
import { judgingConfig } from "./judging-config.ts";

const [place = "", url = ""] = process.argv.slice(2);
const { log, rules } = await openPlace(JSON.parse(place) as Place, false);
// What the dead held is anybody's soon: nobody waits for a minute here.
await startJudging(log, rules, judgingConfig(url), { leaseMs: 1500, everyMs: 100 });
process.stdout.write("ready\n");
setInterval(() => undefined, 1000);
