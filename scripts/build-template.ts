// Packs a freshly initialised data folder of the embedded database, so that a first start need not make one.
import { makeTemplate } from "../database/embedded/template.ts";
import { writeWhole } from "../files/whole-file.ts";

writeWhole(process.argv[2] as string, await makeTemplate(), 0o644);
