/** Builds a dataset, and stops for ever in the middle of a file. Arguments: folder of the log, output. */
import { writeSync } from "node:fs";
import { buildDataset } from "../../../app/datasets.ts";
import { openAtlas } from "../../../app/open-atlas.ts";

const [path = "", output = ""] = process.argv.slice(2);
const atlas = await openAtlas({ log: { kind: "embedded", path } }, { consumers: false });
let encoded = 0;
await buildDataset(atlas.log, {
  output,
  format: {
    name: "stopping",
    extension: "txt",
    encode: () => {
      encoded += 1;
      if (encoded > 2) {
        writeSync(1, "stopped\n");
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      }
      return ["line"];
    },
  },
});
