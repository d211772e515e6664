import type { Queryable } from "../database/database.ts";
import type { AtlasEvent, JudgementMade, SessionRewarded, Uuid } from "../schemas/generated/events.ts";
import { cleanText } from "../traces/clean-text.ts";
import { emptyTrace, withFacts } from "../traces/fold.ts";
import { rewardStats, sessionReward, sharedReward, stepReward } from "../traces/reward-record.ts";
import type { SessionFacts } from "../traces/session-trace.ts";
import { fromTrajectoryEvent, type TrajectoryEvent } from "../traces/trajectory-event.ts";
import { derivedMetadata } from "./session-rows.ts";
import type { TableNames } from "./tables.ts";

/** A session that only other topics said something about. */
export interface DerivedChange {
  id: number;
  sessionId: Uuid;
  /** Everything that other topics say of it. */
  facts: readonly AtlasEvent[];
  /** The reward is among what is new. */
  rewarded: boolean;
}

type Rewarded = DerivedChange & { said: SessionFacts; reward: SessionRewarded };

/**
 * Writes the columns that other topics decide, and only those: the rest belongs to the assignment that the session's
 * own events come in, which may have read on since.
 */
export async function writeDerived(
  tx: Queryable,
  tables: TableNames,
  changes: readonly DerivedChange[],
): Promise<void> {
  if (changes.length === 0) return;
  const said = changes.map((change) => ({
    ...change,
    said: withFacts(emptyTrace(change.sessionId), change.facts) as SessionFacts,
  }));
  const rewarded = said.flatMap((change) =>
    change.said.reward === null ? [] : [{ ...change, reward: change.said.reward }],
  );
  const judgements = await loadJudgements(tx, tables, rewarded);
  const rewards = new Map(
    rewarded.map(({ id, reward }) => [id, JSON.stringify(sessionReward(reward, judgements.get(id) ?? []))]),
  );
  const stats = new Map(rewarded.map(({ id, reward }) => [id, JSON.stringify(rewardStats(reward))]));
  await tx.query(
    `update ${tables("sessions")} s
        set reward = coalesce(v.reward, s.reward), reward_stats = coalesce(v.reward_stats, s.reward_stats),
            review_status = v.review_status, review_notes = v.review_notes, metadata = s.metadata || v.metadata
       from unnest($1::int[], $2::jsonb[], $3::jsonb[], $4::text[], $5::text[], $6::jsonb[])
            as v(id, reward, reward_stats, review_status, review_notes, metadata)
      where s.id = v.id`,
    [
      said.map(({ id }) => id),
      said.map(({ id }) => rewards.get(id) ?? null),
      said.map(({ id }) => stats.get(id) ?? null),
      said.map((change) => change.said.review_status),
      said.map((change) => change.said.review_notes),
      said.map((change) => JSON.stringify(derivedMetadata(change.said))),
    ],
  );
  await writeStepRewards(
    tx,
    tables,
    rewarded.filter((change) => change.rewarded),
    judgements,
  );
}

async function loadJudgements(
  tx: Queryable,
  tables: TableNames,
  sessions: readonly Rewarded[],
): Promise<Map<number, JudgementMade[]>> {
  const judgements = new Map<number, JudgementMade[]>();
  if (sessions.length === 0) return judgements;
  const uuids = new Map(sessions.map(({ id, sessionId }) => [id, sessionId]));
  const { rows } = await tx.query<{ session_id: number; event: TrajectoryEvent }>(
    `select session_id, event from ${tables("trajectory_events")}
      where session_id = any($1::int[]) and type = 'JudgementMade' order by session_id, id`,
    [[...uuids.keys()]],
  );
  for (const { session_id, event } of rows) {
    const judgement = cleanText(fromTrajectoryEvent(event, uuids.get(session_id)!)) as JudgementMade;
    judgements.set(session_id, [...(judgements.get(session_id) ?? []), judgement]);
  }
  return judgements;
}

async function writeStepRewards(
  tx: Queryable,
  tables: TableNames,
  sessions: readonly Rewarded[],
  judgements: ReadonlyMap<number, JudgementMade[]>,
): Promise<void> {
  if (sessions.length === 0) return;
  const own = sessions.flatMap(({ id, reward }) =>
    reward.steps.map(({ step_id }) => ({
      id,
      step_id,
      reward: JSON.stringify(stepReward(step_id, reward, judgements.get(id) ?? [])),
    })),
  );
  await tx.query(
    `update ${tables("step_results")} r
        set evaluation = r.evaluation || jsonb_build_object('reward', n.reward)
       from (select s.session_id, s.step_id, coalesce(own.reward, shared.reward) as reward
               from unnest($1::int[], $2::jsonb[]) as shared(session_id, reward)
               join ${tables("step_results")} s on s.session_id = shared.session_id
               left join unnest($3::int[], $4::int[], $5::jsonb[]) as own(session_id, step_id, reward)
                 on own.session_id = s.session_id and own.step_id = s.step_id) n
      where r.session_id = n.session_id and r.step_id = n.step_id`,
    [
      sessions.map(({ id }) => id),
      sessions.map(({ reward }) => JSON.stringify(sharedReward(reward))),
      own.map(({ id }) => id),
      own.map(({ step_id }) => step_id),
      own.map(({ reward }) => reward),
    ],
  );
}
