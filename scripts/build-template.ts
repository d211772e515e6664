// Packs a data folder of the embedded database with the tables of Atlas into a folder, so that a first start need not make one.
import { join } from "node:path";
import { EMBEDDED_TABLES } from "../app/open-store.ts";
import { readTemplate, templateName } from "../database/embedded/template.ts";
import { writeWhole } from "../files/whole-file.ts";

const folder = process.argv[2] as string;
writeWhole(join(folder, templateName(EMBEDDED_TABLES)), await readTemplate(EMBEDDED_TABLES), 0o644);
