// Packs a freshly initialised data folder of the embedded database, so that a first start need not make one.
import { makeTemplate } from "../log/postgres/embedded/template.ts";
import { writeWhole } from "../log/postgres/embedded/whole-file.ts";

writeWhole(process.argv[2] as string, await makeTemplate());
