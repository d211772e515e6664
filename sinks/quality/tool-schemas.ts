import { isObject } from "../../traces/clean-text.ts";
import { type Check, eachRecord } from "./check.ts";
import { schemaFault } from "./json-schema.ts";
import { type OfferedTool, type SaidCall, saidIn } from "./record.ts";

function callFault({ name, arguments: given }: SaidCall, tools: readonly OfferedTool[]): string | undefined {
  const tool = tools.find((each) => each.name === name);
  if (tool === undefined)
    return tools.length === 0 ? "calls a tool where none is declared" : "calls a tool that is not declared";
  if (!isObject(given)) return "has arguments that are no JSON object";
  const fault = schemaFault(tool.parameters, given);
  return fault === undefined ? undefined : `has ${fault} in the arguments of a call`;
}

/** Every call is of a tool that the record declares, with arguments that its schema allows. */
export const toolSchemas = (): Check =>
  eachRecord((record) => {
    for (const [index, { calls }] of saidIn(record).entries())
      for (const call of calls) {
        const fault = callFault(call, record.tools);
        if (fault !== undefined) return `message ${index + 1} ${fault}`;
      }
    return undefined;
  });
