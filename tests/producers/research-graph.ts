/** A real graph of LangGraph.js: a node that asks a model behind a URL, and a node that runs its tools. */
import { tool } from "@langchain/core/tools";
import { MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";
import { ToolNode, toolsCondition } from "@langchain/langgraph/prebuilt";
import { z } from "zod";
import { ServedChatModel } from "./langchain-model.ts";

const search = tool(({ q }) => `found ${q}`, {
  name: "search",
  description: "Finds",
  schema: z.object({ q: z.string() }),
});

const broken = tool(
  (): string => {
    throw new Error("disk on fire");
  },
  { name: "broken", description: "Breaks", schema: z.object({}) },
);

/** Tools that a model may call: one answers, one throws. */
export const TOOLS = [search, broken];

/** A compiled graph; its model may call a third tool, which asks the model itself. */
export function researchGraph(url: string) {
  const llm = new ServedChatModel(url);
  const ask = tool(async () => (await llm.invoke("inner")).text, {
    name: "ask",
    description: "Asks",
    schema: z.object({}),
  });
  const knowing = llm.bindTools([...TOOLS, ask]);
  return new StateGraph(MessagesAnnotation)
    .addNode("think", async ({ messages }) => ({ messages: [await knowing.invoke(messages)] }))
    .addNode("tools", new ToolNode([...TOOLS, ask]))
    .addEdge(START, "think")
    .addConditionalEdges("think", toolsCondition)
    .addEdge("tools", "think")
    .compile();
}
