import { describe, expect, it } from "vitest";
import { expectAccountedFor, onlySession, readValues } from "./accounts-for.ts";
import { answersOf, chatOf, linesOf, metadataOf, scoreOf } from "./chat-of.ts";

const POLICY = "# Phone support\n\nAsk the customer to restart the phone first.";
const at = (second: number) => `2026-03-02T10:00:${String(second).padStart(2, "0")}.250000`;

const said = (role: string, content: string | null, second: number, extra: object = {}) => ({
  role,
  content,
  tool_calls: null,
  turn_idx: second,
  timestamp: at(second),
  cost: null,
  usage: null,
  raw_data: null,
  ...extra,
});

const answer = (id: string, requestor: string, content: string, second: number) => ({
  id,
  role: "tool",
  content,
  requestor,
  error: content.startsWith("Error"),
  turn_idx: second,
  timestamp: at(second),
});

const call = (id: string, name: string, args: object, requestor: string) => ({
  id,
  name,
  arguments: args,
  requestor,
});

const simulation = (extra: object = {}) => ({
  id: "5b0e-1",
  task_id: "[mobile]no_signal",
  timestamp: at(30),
  start_time: at(0),
  end_time: at(29),
  duration: 29.25,
  termination_reason: "user_stop",
  agent_cost: 0.0125,
  user_cost: 0.003,
  reward_info: {
    reward: 1.0,
    db_check: { db_match: true, db_reward: 1.0 },
    reward_basis: ["ENV_ASSERTION"],
    nl_assertions: [{ nl_assertion: "Agent is polite", met: true, justification: "It said please." }],
  },
  messages: [
    said("assistant", "Hi! How can I help you today?", 1, { cost: 0.0 }),
    said("user", "My phone has no signal.", 2, {
      cost: 0.001,
      usage: { completion_tokens: 6, prompt_tokens: 400 },
    }),
    said("assistant", null, 3, {
      tool_calls: [
        call("a1", "get_line", { number: "555" }, "assistant"),
        call("a2", "get_bill", {}, "assistant"),
      ],
      cost: 0.01,
      usage: { completion_tokens: 20, prompt_tokens: 900 },
    }),
    {
      role: "tool",
      tool_messages: [answer("a1", "assistant", "active", 4), answer("a2", "assistant", "Error: none", 5)],
    },
    said("assistant", "Please switch airplane mode off.", 6, { raw_data: { id: "chatcmpl-9" } }),
    said("user", null, 7, { tool_calls: [call("u1", "toggle_airplane_mode", { on: false }, "user")] }),
    answer("u1", "user", "Airplane mode is OFF", 8),
    said("user", "Done, it works now.", 9),
    said("assistant", "Glad to hear it.", 10),
    said("user", null, 11, { tool_calls: [call("u2", "check_signal", {}, "user")] }),
    answer("u2", "user", "4 bars", 12),
  ],
  trial: 2,
  seed: 77,
  ticks: null,
  ...extra,
});

const task = (id: string, ticket: string | null = null) => ({
  id,
  description: { purpose: `Tests ${id}` },
  user_scenario: { persona: "Hurried", instructions: { task_instructions: "You are offline on purpose." } },
  ticket,
  evaluation_criteria: {
    actions: [{ action_id: "m_0", name: "toggle_airplane_mode" }],
    reward_basis: ["DB"],
  },
});

const run = (
  simulations: unknown[],
  tasks: unknown[] = [task("[mobile]no_signal")],
  environment: object = {},
) => ({
  timestamp: at(0),
  info: {
    git_commit: "12ab",
    num_trials: 3,
    user_info: {
      implementation: "user_simulator",
      llm: "gpt-x",
      global_simulation_guidelines: "Play the customer.",
    },
    agent_info: { implementation: "llm_agent", llm: "model-x", llm_args: { temperature: 0.5 } },
    environment_info: {
      domain_name: "telecom",
      policy: POLICY,
      tool_defs: {
        get_line: {
          name: "get_line",
          doc: "The line of a number.",
          params: { type: "object", properties: { number: { type: "string" } } },
          returns: { type: "string" },
        },
      },
      ...environment,
    },
  },
  tasks,
  simulations,
});

describe("tau2-bench", () => {
  it("keeps everything of a run whose tasks were all tried", () => {
    const { formats, notes } = expectAccountedFor(
      [run([simulation(), simulation({ id: "5b0e-2", trial: 0 })])],
      {
        doc: "the description of a tool",
      },
    );
    expect(formats).toEqual(["tau2-bench", "tau2-bench"]);
    expect(notes).toEqual([]);
  });

  it("is the conversation that the agent saw, under the policy that it had", () => {
    const session = onlySession(run([simulation()]));
    expect(linesOf(session)).toEqual([
      `system: ${POLICY}`,
      "assistant: Hi! How can I help you today?",
      "user: My phone has no signal.",
      'assistant: get_line({"number":"555"}) get_bill({})',
      "tool: active",
      "tool: Error: none",
      "assistant: Please switch airplane mode off.",
      "user: Done, it works now.",
      "assistant: Glad to hear it.",
    ]);
    expect(answersOf(session)).toEqual([
      ["get_line", "active"],
      ["get_bill", "Error: none"],
    ]);
    expect(JSON.parse(session.started!.tools!)).toEqual([
      {
        type: "function",
        function: {
          name: "get_line",
          description: "The line of a number.",
          parameters: { type: "object", properties: { number: { type: "string" } } },
          returns: { type: "string" },
        },
      },
    ]);
  });

  it("never takes the tools that the user used for the agent's", () => {
    const session = onlySession(run([simulation()]));
    const done = chatOf(session).find(({ content }) => content === "Done, it works now.");
    expect(done?.user_tool_use).toMatchObject([
      {
        role: "user",
        tool_calls: [{ name: "toggle_airplane_mode", arguments: { on: false }, requestor: "user" }],
      },
      { role: "tool", content: "Airplane mode is OFF" },
    ]);
    expect(metadataOf(session).user_tool_use).toMatchObject([{ role: "user" }, { content: "4 bars" }]);
    expect(JSON.stringify(answersOf(session))).not.toContain("airplane");
  });

  it("knows what it was for, how it went and what it took", () => {
    const session = onlySession(run([simulation()]));
    expect(session.started).toMatchObject({
      task: "My phone has no signal.",
      external_id: "5b0e-1",
      agent: "model-x",
      group_id: "tau2-bench/telecom/[mobile]no_signal",
      rollout: 2,
      executor_system_prompt: POLICY,
    });
    expect(JSON.parse(session.started!.ground_truth!)).toMatchObject({ actions: [{ action_id: "m_0" }] });
    expect(session).toMatchObject({ status: "succeeded", error: null, cost: 0.0125 });
    expect(session.usage).toMatchObject({ prompt_tokens: 900, completion_tokens: 20 });
    expect(session.created_at).toBe(Date.parse("2026-03-02T10:00:00.250Z") * 1000);
    expect(session.duration_us).toBe(29_000_000);
    expect(scoreOf(session)).toBe(1);
    expect(metadataOf(session)).toMatchObject({
      task: { ticket: null },
      run: { info: { git_commit: "12ab" } },
    });
  });

  it("counts what did not end by itself as failed", () => {
    const { sessions } = readValues([
      run([
        simulation({ termination_reason: "max_steps", agent_cost: null }),
        simulation({ id: "2", termination_reason: "TerminationReason.AGENT_STOP", reward_info: null }),
      ]),
    ]);
    expect(sessions[0]).toMatchObject({ status: "failed", error: "ended by max_steps", cost: 0.01 });
    expect(sessions[1]).toMatchObject({ status: "succeeded", error: null });
    expect(scoreOf(sessions[1]!)).toBeUndefined();
  });

  it("takes the ticket for the task where no user speaks", () => {
    const alone = simulation({
      messages: [
        said("assistant", null, 1, { tool_calls: [call("a1", "get_line", { number: "1" }, "assistant")] }),
        answer("a1", "assistant", "active", 2),
        said("assistant", "###STOP###", 3),
      ],
    });
    const values = [run([alone], [task("[mobile]no_signal", "The line 1 is dead.")])];
    expectAccountedFor(values, { doc: "the description of a tool" });
    expect(onlySession(...values).started?.task).toBe("The line 1 is dead.");
  });

  it("keeps the policy of the run where a simulation had its own", () => {
    const values = [run([simulation({ policy: "Be brief." })], undefined, { tool_defs: null })];
    expectAccountedFor(values);
    const session = onlySession(...values);
    expect(session.started?.executor_system_prompt).toBe("Be brief.");
    expect(session.started?.tools_source).toBe("observed");
    expect(metadataOf(session)).toMatchObject({ run: { policy: POLICY } });
  });

  it("reads a simulation from a file of its own", () => {
    const values = [simulation({ policy: POLICY, trial: "third" })];
    expectAccountedFor(values);
    expect(readValues(values).notes).toEqual(["trial is not a whole number: it is kept with the metadata"]);
    expect(onlySession(...values).started?.group_id).toBe("tau2-bench/[mobile]no_signal");
  });

  it("tells what it leaves out", () => {
    const { notes, sessions } = readValues([
      run(
        [simulation(), simulation({ messages: null, ticks: [{ tick_id: 0 }] })],
        [task("[mobile]no_signal"), task("other")],
      ),
    ]);
    expect(sessions).toHaveLength(1);
    expect(notes).toEqual([
      "1 of 2 tasks have no simulation here: they are left out",
      "simulations[1].messages is missing: it was spoken in ticks: this simulation is left out",
    ]);
  });

  it("says in a sentence why there is no conversation", () => {
    const reasons = [
      run([]),
      { ...run([]), simulation_index: [{ id: "5b0e-1" }] },
      run([simulation({ messages: [] })]),
      simulation({ messages: [{ content: "Hello" }] }),
    ].map((value) => readValues([value]).problems);
    expect(reasons).toEqual([
      ["simulations is empty: nothing was run"],
      ["simulations is empty: they stand in files of their own, in the folder simulations beside it"],
      ["simulations[0].messages is empty"],
      ["it.messages[0].role is missing"],
    ]);
  });
});
