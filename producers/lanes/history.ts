import { excerpt } from "../../models/excerpt.ts";

/** What is remembered of an earlier, rewarded session of the same learning key. */
export interface HistoryEntry {
  /** 0 to 1. */
  score: number;
  /** 0 to 1. */
  uncertainty?: number | undefined;
  studentLearning?: string | undefined;
  teacherLearning?: string | undefined;
  /** ISO 8601. */
  createdAt?: string | undefined;
  completedAt?: string | undefined;
}

/** Tells the earlier sessions of a learning key, oldest first. */
export type History = (learningKey: string) => Promise<readonly HistoryEntry[]>;

const LONGEST_LEARNING = 1024;
const HIGH = 0.8;
const LOW = 0.4;

const average = (scores: readonly number[]): number =>
  scores.reduce((sum, score) => sum + score, 0) / scores.length;

function recentStreak(scores: readonly number[], counts: (score: number) => boolean): number {
  const other = scores.findLastIndex((score) => !counts(score));
  return scores.length - 1 - other;
}

function shownEntry({ score, uncertainty, studentLearning, teacherLearning, ...times }: HistoryEntry) {
  const short = (text: string | undefined) =>
    text === undefined ? undefined : excerpt(text, LONGEST_LEARNING);
  return {
    reward: { score, uncertainty },
    student_learning: short(studentLearning),
    teacher_learning: short(teacherLearning),
    created_at: times.createdAt,
    completed_at: times.completedAt,
  };
}

/**
 * What a probe is shown of earlier sessions: the last of them, and how they went on the whole.
 *
 * @example
 * const { count, average_score } = historyPayload(entries, 10);
 */
export function historyPayload(entries: readonly HistoryEntry[], limit: number) {
  const shown = entries.slice(-limit);
  const scores = shown.map(({ score }) => score);
  const all = { entries: shown.map(shownEntry), count: shown.length, total_count: entries.length, limit };
  if (scores.length === 0) return all;
  return {
    ...all,
    scores,
    average_score: average(scores),
    recent_high_score_streak: recentStreak(scores, (score) => score >= HIGH),
    recent_low_score_streak: recentStreak(scores, (score) => score <= LOW),
    overall_average_score: average(entries.map(({ score }) => score)),
  };
}
