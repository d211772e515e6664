/** Names this prompt in events; changes whenever its text does. */
export const PLAN_VERSION = "plan.v2";

/** The words with which a student is asked for a plan; what goes before and after them is the task. */
export const PLAN_REQUEST = "Do not work on this task yet. First plan it as steps.";

/** Asks a student for a plan of a task. */
export const planPrompt = (task: string): string =>
  `${task}

---
${PLAN_REQUEST} Take as few steps as the task needs; one is enough for a simple task. A step says what is to
be done and what comes of it. It gets the outputs of the steps that it depends on, and of no others; steps that do not
depend on each other run at the same time. A step that is the call of one of your tools may name it as "tool", with the
arguments as JSON text in "tool_params".

Reply with one JSON object and nothing else:
{"steps": [{"id": 1, "description": "...", "depends_on": []}, {"id": 2, "description": "...", "depends_on": [1]}]}`;

/** Tells a student what was wrong with its plan. */
export const planRepair = (problem: string): string =>
  `The plan could not be read: ${problem}. Reply again with the one JSON object that was asked for, and nothing else.`;
