// Generated from schemas/ by `npm run schemas:generate`. Do not edit.


/** JSON text: free-form values travel as the text that was received. */
export type JsonText = string;

/** A UUID in its 36-character form. */
export type Uuid = string;

/** Microseconds since the Unix epoch. */
export type Micros = number;

/** What computed a derived event: the same derivation over the same facts has the same result. */
export interface Derivation {
  processor: string;
  /** Version of the processor's logic. */
  version: number;
  /** SHA-256 of the rules it worked by. */
  rules_hash: string;
  /** Name of the branch, absent on the live topics. */
  branch?: string | null;
  /** Raised each time a rebuild publishes a changed result. */
  revision: number;
}

/** The sessions that one metric was held against. */
export interface DriftBaseline {
  metric: string;
  sample_count: number;
  mean?: number | null;
  median?: number | null;
  stddev?: number | null;
  /** Median absolute deviation, unscaled. */
  mad?: number | null;
  /** What z divides by: the standard deviation, that of the side the value lies on, or the floor. */
  spread?: number | null;
  /** linear or log: on log, stddev, mad, spread and the z-scores are of natural logarithms. */
  scale?: string | null;
  /** Completion of the first session of the present level, where a change was found. */
  since?: Micros | null;
}

/** One metric of a session held against its baseline. */
export interface DriftMetric {
  metric: string;
  value: number;
  delta?: number | null;
  z?: number | null;
  mad_z?: number | null;
  /** Both z-scores have to reach it for an alert. */
  limit?: number | null;
  /** The change-point statistic; below 0 where the metric falls. */
  change?: number | null;
  /** What the change-point statistic has to pass for an alert. */
  change_limit?: number | null;
}

/** Which trial of an eval a session is. */
export interface EvalTrial {
  eval_id: string;
  /** Names the task among those of the eval. */
  case: string;
  /** Names what is compared: an agent, a prompt, a playbook. */
  arm: string;
  /** From 0, within the case and the arm. */
  trial: number;
}

/** What one judge's judgements come to. */
export interface JudgeScore {
  judge: string;
  score: number;
  weight: number;
  samples: number;
  uncertainty?: number | null;
  escalated: boolean;
  /** Population standard deviation of the samples. */
  stddev?: number | null;
  /** The least uncertainty of the samples. */
  best_uncertainty?: number | null;
}

/** Whether a session ran with a lesson, and how likely that was. */
export interface LessonAssignment {
  lesson_id: Uuid;
  /** treated, held-out or pinned. */
  arm: string;
  /** The probability of this arm, above 0 and at most 1. */
  propensity: number;
}

/** The envelope of every event. */
export interface Meta {
  /** UUIDv7 for what happened live, UUIDv5 for what was imported or derived. */
  event_id: Uuid;
  session_id?: Uuid | null;
  /** Who wrote it; sequences count within one source. */
  source: string;
  /** Strictly increasing within the source; contiguous from 1 for a session. */
  sequence: number;
  /** Microseconds since the epoch. */
  occurred_at: Micros;
  /** True where a recorded run gave no time. */
  time_assumed: boolean;
  /** The event that caused this one. */
  causation_id?: Uuid | null;
  /** W3C trace id, 32 hex digits. */
  trace_id?: string | null;
  /** Set on derived events only. */
  derivation?: Derivation | null;
}

/** An ordered set of steps with their dependencies. */
export interface Plan {
  steps: PlanStep[];
  /** single_shot or stepwise. */
  execution_mode: string;
}

/** One step of a plan. */
export interface PlanStep {
  id: number;
  description: string;
  tool?: string | null;
  tool_params?: JsonText | null;
  depends_on: number[];
}

/** Spread of the judgements behind a reward. */
export interface RewardStatistics {
  score_mean: number;
  /** Population standard deviation. */
  score_stddev: number;
  sample_count: number;
  uncertainty_mean?: number | null;
  uncertainty_stddev?: number | null;
  best_uncertainty?: number | null;
}

/** The reward of one step. */
export interface StepReward {
  step_id: number;
  score: number;
  judges: JudgeScore[];
  statistics?: RewardStatistics | null;
  /** Judges of the step that were settled by arbitration. */
  escalations?: number | null;
}

/** Tokens of one or more model calls. */
export interface TokenUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  reasoning_tokens?: number | null;
  cached_tokens?: number | null;
  calls: number;
}

/** A place in one partition of a topic. */
export interface TopicPosition {
  topic: string;
  partition: number;
  /** The next offset. */
  offset: number;
}

/** A person wrote what the answer should have been. */
export interface AnswerCorrected {
  type: "AnswerCorrected";
  meta: Meta;
  learning_key: string;
  /** The step whose output is corrected; null for the session. */
  step_id?: number | null;
  /** answer, or plan. */
  target: string;
  content: string;
  author: string;
  note?: string | null;
}

/** An attempt ended. */
export interface AttemptEnded {
  type: "AttemptEnded";
  meta: Meta;
  step_id: number;
  attempt: number;
  /** completed, failed or cancelled. */
  status: string;
  output?: string | null;
  deliverable?: JsonText | null;
  artifacts?: JsonText | null;
  error?: string | null;
  usage?: TokenUsage | null;
  duration_us?: number | null;
}

/** An attempt at a step began. */
export interface AttemptStarted {
  type: "AttemptStarted";
  meta: Meta;
  step_id: number;
  /** Counts from 1. */
  attempt: number;
  guidance: string[];
  context?: JsonText | null;
}

/** More of a text that was too large for one message. */
export interface ContentContinued {
  type: "ContentContinued";
  meta: Meta;
  /** The event whose field goes on. */
  continues: Uuid;
  field: string;
  /** Counts from 1. */
  part: number;
  parts: number;
  text: string;
}

/** A dataset was written. */
export interface DatasetBuilt {
  type: "DatasetBuilt";
  meta: Meta;
  output: string;
  manifest: JsonText;
  /** SHA-256 over the records. */
  digest: string;
  records: number;
}

/** A record that was set aside was applied after all. */
export interface DeadLetterRetried {
  type: "DeadLetterRetried";
  meta: Meta;
  /** Key of the record. */
  learning_key: string;
  group: string;
  topic: string;
  partition: number;
  offset: number;
  /** Who had it retried. */
  author: string;
}

/** A record that a consumer could not apply. */
export interface DeadLettered {
  type: "DeadLettered";
  meta: Meta;
  /** Key of the record. */
  learning_key: string;
  group: string;
  topic: string;
  partition: number;
  offset: number;
  error_code: string;
  error: string;
  /** Schema fingerprint of the body. */
  fingerprint: string;
  body: Buffer;
}

/** A branch's derivation became the current one. */
export interface DerivationPromoted {
  type: "DerivationPromoted";
  meta: Meta;
  processor: string;
  version: number;
  rules_hash: string;
  branch?: string | null;
  author?: string | null;
  /** From where on this derivation answers; empty for all that there is. */
  positions: TopicPosition[];
  /** Version of the processor that stops answering. */
  retired?: number | null;
}

/** A rewarded session held against the sessions of its learning key before it. */
export interface DriftAssessed {
  type: "DriftAssessed";
  meta: Meta;
  learning_key: string;
  completed_at: Micros;
  alert: boolean;
  /** The metric that raised the alert, or insufficient_baseline. */
  reason?: string | null;
  /** improvement or decline. */
  direction?: string | null;
  message?: string | null;
  window: number;
  threshold: number;
  metrics: DriftMetric[];
  baseline: DriftBaseline[];
  /** The reward that was assessed. */
  score?: number | null;
  /** Mean uncertainty of its judgements. */
  uncertainty?: number | null;
  /** False where an event of the session is missing from the log. */
  complete?: boolean | null;
  /** What the sessions of the baseline have in common beside the learning key. */
  cohort?: JsonText | null;
}

/** An eval came to its end. */
export interface EvalConcluded {
  type: "EvalConcluded";
  meta: Meta;
  eval_id: string;
  /** completed, stopped or failed. */
  status: string;
  outcome: JsonText;
  note?: string | null;
}

/** An eval is about to run. */
export interface EvalPlanned {
  type: "EvalPlanned";
  meta: Meta;
  eval_id: string;
  /** learning, runtime, reward or probe. */
  kind: string;
  plan: JsonText;
  seed: string;
  /** SHA-256 of what it runs on, as name=digest. */
  digests: string[];
}

/** An event that another system recorded of the session, kept as it was. */
export interface ForeignEventRecorded {
  type: "ForeignEventRecorded";
  meta: Meta;
  /** Place among the session's foreign events, from 0. */
  index: number;
  event: JsonText;
}

/** What the teacher told the student before the next attempt. */
export interface GuidanceGiven {
  type: "GuidanceGiven";
  meta: Meta;
  step_id: number;
  /** The attempt that it follows. */
  attempt: number;
  note: string;
  author: string;
}

/** A judge gave no readable score. */
export interface JudgementFailed {
  type: "JudgementFailed";
  meta: Meta;
  judge: string;
  scope: string;
  step_id?: number | null;
  stage: string;
  reason: string;
  provider?: string | null;
  model?: string | null;
  temperature?: number | null;
  prompt_version?: string | null;
  call_id?: string | null;
}

/** One judge's score of a session or a step. */
export interface JudgementMade {
  type: "JudgementMade";
  meta: Meta;
  judge: string;
  /** session or step. */
  scope: string;
  step_id?: number | null;
  /** sample, arbitration, recorded or function. */
  stage: string;
  /** 0 to 1. */
  score: number;
  /** 0 to 1. */
  uncertainty?: number | null;
  rationale?: string | null;
  principles?: JsonText | null;
  provider?: string | null;
  model?: string | null;
  temperature?: number | null;
  usage?: TokenUsage | null;
  prompt_version?: string | null;
  call_id?: string | null;
}

/** The lane that the session runs in. */
export interface LaneSelected {
  type: "LaneSelected";
  meta: Meta;
  /** auto, paired or coach. */
  lane: string;
  reason: string;
  confidence?: number | null;
  probe?: JsonText | null;
  /** The probability with which this lane was drawn; null where it was no draw. */
  propensity?: number | null;
}

/** What a lesson was found to do. */
export interface LessonAssessed {
  type: "LessonAssessed";
  meta: Meta;
  learning_key: string;
  lesson_id: Uuid;
  /** proposed, trial, active, retired or quarantined. */
  status: string;
  /** What was measured, such as reward. */
  outcome: string;
  /** Sessions that ran with it. */
  treated: number;
  /** Sessions that could have, and did not. */
  held_out: number;
  effect?: number | null;
  lower?: number | null;
  upper?: number | null;
  /** The smallest effect that these sessions could show. */
  detectable?: number | null;
}

/** A person decided on a lesson. */
export interface LessonDecided {
  type: "LessonDecided";
  meta: Meta;
  learning_key: string;
  lesson_id: Uuid;
  /** approve, pin, ban or retire. */
  decision: string;
  author: string;
  note?: string | null;
}

/** Somebody or something proposed a change of a learning key's lessons. */
export interface LessonProposed {
  type: "LessonProposed";
  meta: Meta;
  learning_key: string;
  lesson_id: Uuid;
  /** student or teacher. */
  audience: string;
  /** Revision of the playbook that it was proposed for. */
  base_revision: number;
  /** add, refine, retire, merge or revert. */
  operation: string;
  text: string;
  /** When the lesson applies. */
  cue?: string | null;
  /** What to do then. */
  action?: string | null;
  scope?: string | null;
  /** Events that it rests on. */
  because: Uuid[];
  /** Origins that nobody vouches for: tool, task, agent. */
  taint: string[];
  model?: string | null;
  prompt_version?: string | null;
}

/** One message of the conversation, exactly as it was. */
export interface MessageRecorded {
  type: "MessageRecorded";
  meta: Meta;
  /** Place in the conversation, from 0. */
  index: number;
  role: string;
  message: JsonText;
  step_id?: number | null;
  attempt?: number | null;
}

/** A model answered, or failed to. */
export interface ModelCallEnded {
  type: "ModelCallEnded";
  meta: Meta;
  call_id: string;
  parent_id?: string | null;
  step_id?: number | null;
  attempt?: number | null;
  role: string;
  provider: string;
  /** The version that answered. */
  model: string;
  content?: string | null;
  reasoning?: string | null;
  tool_calls?: JsonText | null;
  finish_reason?: string | null;
  usage?: TokenUsage | null;
  /** US dollars. */
  cost?: number | null;
  duration_us?: number | null;
  error?: string | null;
  token_ids?: JsonText | null;
  logprobs?: JsonText | null;
  /** How often the provider was asked; null where the client does not tell. */
  tries?: number | null;
}

/** A model was asked. */
export interface ModelCallStarted {
  type: "ModelCallStarted";
  meta: Meta;
  call_id: string;
  parent_id?: string | null;
  step_id?: number | null;
  attempt?: number | null;
  /** student, teacher, judge, probe or learning. */
  role: string;
  provider: string;
  model: string;
  messages: JsonText;
  parameters?: JsonText | null;
  tools?: JsonText | null;
  prompt_version?: string | null;
}

/** The student proposed a plan. */
export interface PlanProposed {
  type: "PlanProposed";
  meta: Meta;
  plan: Plan;
  author: string;
  call_id?: string | null;
}

/** The teacher reviewed the plan; this is the one that runs. */
export interface PlanReviewed {
  type: "PlanReviewed";
  meta: Meta;
  plan: Plan;
  changed: boolean;
  concerns: string[];
  author: string;
  call_id?: string | null;
}

/** A learning key's playbook changed. */
export interface PlaybookRevised {
  type: "PlaybookRevised";
  meta: Meta;
  learning_key: string;
  /** student or teacher. */
  audience: string;
  revision: number;
  playbook: JsonText;
  model?: string | null;
  prompt_version?: string | null;
  /** Lessons that it is made of, in order. */
  lessons: Uuid[];
  /** SHA-256 of the playbook. */
  digest?: string | null;
}

/** A session ran with a playbook. */
export interface PlaybookUsed {
  type: "PlaybookUsed";
  meta: Meta;
  learning_key: string;
  audience: string;
  revision: number;
  assignment: LessonAssignment[];
  /** SHA-256 of the playbook as the prompt had it. */
  digest?: string | null;
  /** Tokens that it added to the prompt. */
  tokens?: number | null;
}

/** A person decided whether a session may be trained on. */
export interface ReviewDecided {
  type: "ReviewDecided";
  meta: Meta;
  learning_key: string;
  /** approved or quarantined. */
  decision: string;
  author: string;
  note?: string | null;
  /** The status that the person saw. */
  on_status?: string | null;
  /** True where the person saw neither reward nor status. */
  blind?: boolean | null;
  /** Revision of the reward that the person saw. */
  seen_revision?: number | null;
  reason_codes: string[];
}

/** A session's review status changed. */
export interface ReviewStatusChanged {
  type: "ReviewStatusChanged";
  meta: Meta;
  learning_key: string;
  from_status: string;
  to_status: string;
  /** person or rule. */
  because: string;
  author?: string | null;
  note?: string | null;
  /** The decision that this one overrode. */
  overrode?: Uuid | null;
}

/** The rules that processors work by. */
export interface RulesSet {
  type: "RulesSet";
  meta: Meta;
  rules_hash: string;
  rules: JsonText;
  author?: string | null;
}

/** A session passed its deadline without an end. */
export interface SessionAbandoned {
  type: "SessionAbandoned";
  meta: Meta;
  learning_key: string;
  deadline: Micros;
  reason: string;
}

/** What a session came to: one for every session that ended or was abandoned, rewarded or not. */
export interface SessionConcluded {
  type: "SessionConcluded";
  meta: Meta;
  learning_key: string;
  /** succeeded, failed, cancelled or abandoned. */
  status: string;
  /** Null where the session has no reward. */
  score?: number | null;
  agent: string;
  lane?: string | null;
  /** Rollouts of one task share it. */
  group_id?: string | null;
  /** SHA-256 of the task. */
  task_digest: string;
  tokens?: number | null;
  tool_calls: number;
  steps: number;
  /** How often the teacher guided or planned. */
  interventions: number;
  started_at: Micros;
  completed_at: Micros;
  simulated: boolean;
  eval?: EvalTrial | null;
}

/** A session ended. */
export interface SessionEnded {
  type: "SessionEnded";
  meta: Meta;
  learning_key: string;
  /** succeeded, failed or cancelled. */
  status: string;
  final_answer?: string | null;
  error?: string | null;
  usage?: TokenUsage | null;
  usage_by_role?: JsonText | null;
  cost?: number | null;
  duration_us?: number | null;
}

/** A session leaves the read models and later datasets. */
export interface SessionErased {
  type: "SessionErased";
  meta: Meta;
  learning_key: string;
  author: string;
  reason?: string | null;
}

/** Closes the set of a session's judgements. */
export interface SessionJudged {
  type: "SessionJudged";
  meta: Meta;
  learning_key: string;
  judgements: Uuid[];
  /** Judges without a valid judgement. */
  missing: string[];
  /** The rules that everything derived from this session works by. */
  rules_hash: string;
}

/** What a session's judgements come to. */
export interface SessionRewarded {
  type: "SessionRewarded";
  meta: Meta;
  learning_key: string;
  score: number;
  statistics: RewardStatistics;
  judges: JudgeScore[];
  steps: StepReward[];
  escalations: number;
  judgements: Uuid[];
  missing: string[];
  /** Status of the session. */
  status: string;
  agent: string;
  tags: string[];
  tokens?: number | null;
  duration_us?: number | null;
  started_at: Micros;
  completed_at: Micros;
  /** Models that answered for the student, in the order of their names. */
  models: string[];
  /** Hash of how the agent was set up: its kind and its system prompt. */
  configuration?: string | null;
  /** False where an event of the session is missing from the log. */
  complete?: boolean | null;
  /** The session of the learning key that drift compares before this one. */
  after?: Uuid | null;
}

/** A session began: one task given to one agent. */
export interface SessionStarted {
  type: "SessionStarted";
  meta: Meta;
  task: string;
  /** Groups sessions that learn from each other; keys every topic but atlas.sessions. */
  learning_key: string;
  agent: string;
  /** openai, anthropic, gemini, http, function, langgraph, recorded, or a registered kind. */
  agent_kind?: string | null;
  /** run, import or migration. */
  origin: string;
  /** The session's name where it was recorded. */
  external_id?: string | null;
  project?: string | null;
  tenant?: string | null;
  tags: string[];
  /** Rollouts of one task share it. */
  group_id?: string | null;
  rollout?: number | null;
  ground_truth?: string | null;
  executor_system_prompt?: string | null;
  metadata?: JsonText | null;
  /** Past it the session is abandoned. */
  deadline?: Micros | null;
  /** True where the models were simulated. */
  simulated: boolean;
  /** deferred where judgements come later, from a source of their own; null where they are the session's own events. */
  judging?: string | null;
  /** Definitions of the tools that the agent could call. */
  tools?: JsonText | null;
  /** declared, or observed where they were made from the calls. */
  tools_source?: string | null;
  /** Name of the format that an import was read from. */
  format?: string | null;
  /** Version of the translation of that format. */
  translation?: number | null;
  /** The session that this one is another translation of. */
  supersedes?: Uuid | null;
  /** The session of the learning key that is rewarded before this one; null where order is that of arrival. */
  after?: Uuid | null;
  eval?: EvalTrial | null;
}

/** A step ended. */
export interface StepEnded {
  type: "StepEnded";
  meta: Meta;
  step_id: number;
  /** succeeded, failed or cancelled. */
  status: string;
  attempts: number;
  output?: string | null;
  trace?: string | null;
  deliverable?: JsonText | null;
  artifacts?: JsonText | null;
  reason?: string | null;
  metadata?: JsonText | null;
}

/** A step did not run because one that it depends on failed. */
export interface StepSkipped {
  type: "StepSkipped";
  meta: Meta;
  step_id: number;
  reason: string;
}

/** A step began. */
export interface StepStarted {
  type: "StepStarted";
  meta: Meta;
  step_id: number;
  description: string;
  tool?: string | null;
  tool_params?: JsonText | null;
  depends_on: number[];
}

/** The teacher's verdict on an attempt. */
export interface StepValidated {
  type: "StepValidated";
  meta: Meta;
  step_id: number;
  attempt: number;
  /** valid, invalid or none (no readable verdict). */
  verdict: string;
  reason?: string | null;
  cached: boolean;
  duration_us?: number | null;
  call_id?: string | null;
}

/** A triage adapter described the task. */
export interface TaskTriaged {
  type: "TaskTriaged";
  meta: Meta;
  adapter: string;
  dossier: JsonText;
}

/** A tool answered, or failed to. */
export interface ToolCallEnded {
  type: "ToolCallEnded";
  meta: Meta;
  call_id: string;
  parent_id?: string | null;
  step_id?: number | null;
  attempt?: number | null;
  name: string;
  output?: string | null;
  error?: string | null;
  duration_us?: number | null;
}

/** A tool was called. */
export interface ToolCallStarted {
  type: "ToolCallStarted";
  meta: Meta;
  call_id: string;
  parent_id?: string | null;
  step_id?: number | null;
  attempt?: number | null;
  name: string;
  arguments: JsonText;
}

/** A training run ended; its cause is the TrainingLaunched that began it. */
export interface TrainingEnded {
  type: "TrainingEnded";
  meta: Meta;
  /** Absent where it could not be started, or was ended by a signal. */
  exit_code?: number | null;
  signal?: string | null;
  /** Folder of the checkpoints; absent where it does not exist. */
  checkpoint?: string | null;
  duration_us?: number | null;
}

/** A training run was started on a dataset. */
export interface TrainingLaunched {
  type: "TrainingLaunched";
  meta: Meta;
  dataset_digest: string;
  command: string;
  manifest?: JsonText | null;
  checkpoint?: string | null;
  exit_code?: number | null;
}

/** Any event of the log. */
export type AtlasEvent =
  | AnswerCorrected
  | AttemptEnded
  | AttemptStarted
  | ContentContinued
  | DatasetBuilt
  | DeadLetterRetried
  | DeadLettered
  | DerivationPromoted
  | DriftAssessed
  | EvalConcluded
  | EvalPlanned
  | ForeignEventRecorded
  | GuidanceGiven
  | JudgementFailed
  | JudgementMade
  | LaneSelected
  | LessonAssessed
  | LessonDecided
  | LessonProposed
  | MessageRecorded
  | ModelCallEnded
  | ModelCallStarted
  | PlanProposed
  | PlanReviewed
  | PlaybookRevised
  | PlaybookUsed
  | ReviewDecided
  | ReviewStatusChanged
  | RulesSet
  | SessionAbandoned
  | SessionConcluded
  | SessionEnded
  | SessionErased
  | SessionJudged
  | SessionRewarded
  | SessionStarted
  | StepEnded
  | StepSkipped
  | StepStarted
  | StepValidated
  | TaskTriaged
  | ToolCallEnded
  | ToolCallStarted
  | TrainingEnded
  | TrainingLaunched;

/** The name of an event. */
export type EventType = AtlasEvent["type"];

/** The event of a given name. */
export type EventOf<T extends EventType> = Extract<AtlasEvent, { type: T }>;

/** What a field that is left out of an event means, for fields that are never null. */
export const DEFAULTS = {
  AnswerCorrected: {},
  AttemptEnded: {},
  AttemptStarted: {"guidance":[]},
  ContentContinued: {},
  DatasetBuilt: {},
  DeadLetterRetried: {},
  DeadLettered: {},
  DerivationPromoted: {"positions":[]},
  DriftAssessed: {"metrics":[],"baseline":[]},
  EvalConcluded: {},
  EvalPlanned: {"digests":[]},
  ForeignEventRecorded: {},
  GuidanceGiven: {"author":"teacher"},
  JudgementFailed: {"scope":"session"},
  JudgementMade: {"scope":"session"},
  LaneSelected: {},
  LessonAssessed: {"treated":0,"held_out":0},
  LessonDecided: {},
  LessonProposed: {"because":[],"taint":[]},
  MessageRecorded: {},
  ModelCallEnded: {},
  ModelCallStarted: {},
  PlanProposed: {"author":"student"},
  PlanReviewed: {"concerns":[],"author":"teacher"},
  PlaybookRevised: {"lessons":[]},
  PlaybookUsed: {"assignment":[]},
  ReviewDecided: {"reason_codes":[]},
  ReviewStatusChanged: {},
  RulesSet: {},
  SessionAbandoned: {},
  SessionConcluded: {"tool_calls":0,"steps":0,"interventions":0,"simulated":false},
  SessionEnded: {},
  SessionErased: {},
  SessionJudged: {"judgements":[],"missing":[]},
  SessionRewarded: {"judges":[],"steps":[],"escalations":0,"judgements":[],"missing":[],"tags":[],"models":[]},
  SessionStarted: {"origin":"run","tags":[],"simulated":false},
  StepEnded: {},
  StepSkipped: {},
  StepStarted: {"depends_on":[]},
  StepValidated: {"cached":false},
  TaskTriaged: {},
  ToolCallEnded: {},
  ToolCallStarted: {},
  TrainingEnded: {},
  TrainingLaunched: {},
} as const;

/** What happened, without its envelope; fields with a default may be left out. */
export type Draft<T extends EventType> = Omit<EventOf<T>, "type" | "meta" | keyof (typeof DEFAULTS)[T]> &
  Partial<Pick<EventOf<T>, keyof (typeof DEFAULTS)[T] & keyof EventOf<T>>>;
