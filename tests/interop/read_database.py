"""Reads sessions with the Python SDK's own client and prints what it saw as one JSON object.

    python read_database.py DATABASE_URL LEARNING_KEY [SCHEMA_FILE]

With a schema file the client connects as it does by default, and runs that file: the published package lacks its own.
"""

import json
import sys
from datetime import datetime, timezone
from pathlib import Path

import atlas.runtime.storage.database as storage
from atlas.config.models import StorageConfig
from atlas.training_data import count_training_sessions, get_session_by_id, get_training_sessions


def uuid_of(trace):
    return trace.session_metadata["session_id"]


def decoded(event):
    return json.loads(event["event"])["payload"]


def step_of(step):
    return {
        "id": step.step_id,
        "description": step.description,
        "trace": step.trace,
        "output": step.output,
        "score": step.reward.score,
        "judges": [judge.identifier for judge in step.reward.judges],
        "tool": step.tool,
        "toolParams": step.tool_params,
        "dependsOn": step.depends_on,
        "validation": step.validation,
        "attempts": step.attempts,
        "attemptHistory": step.attempt_history,
        "guidance": step.guidance,
        "artifacts": step.artifacts,
        "deliverable": step.deliverable,
        "runtime": step.runtime,
    }


def session_of(trace):
    return {
        "task": trace.task,
        "answer": trace.final_answer,
        "reward": trace.session_reward,
        "learningKey": trace.learning_key,
        "teacherNotes": trace.teacher_notes,
        "rewardSummary": trace.reward_summary,
        "rewardAudit": trace.reward_audit,
        "drift": trace.drift,
        "driftAlert": trace.drift_alert,
        "triageDossier": trace.triage_dossier,
        "adaptiveSummary": trace.adaptive_summary,
        "metadata": trace.session_metadata,
        "plan": [step["description"] for step in trace.plan["steps"]],
        "steps": [step_of(step) for step in trace.steps],
        "events": [
            [decoded(event)["metadata"]["event"], decoded(event)["metadata"]["event_id"]]
            for event in trace.trajectory_events
        ],
        "keys": sorted(trace.to_dict()),
    }


def main(url, learning_key, schema=None):
    config = StorageConfig(database_url=url, apply_schema_on_connect=schema is not None)
    if schema is not None:
        wanted = Path(storage.__file__).with_name("schema.sql")
        wanted.write_text(Path(schema).read_text())

    def sessions(**filters):
        return get_training_sessions(url, config=config, **filters)

    def count(**filters):
        return count_training_sessions(url, config=config, **filters)

    everything = sessions(limit=None)
    by_filter = {
        "minReward": {"min_reward": 0.5},
        "learningKey": {"learning_key": learning_key},
        "otherKey": {"learning_key": "no such key"},
        "status": {"status_filters": ["succeeded"]},
        "approved": {"review_status_filters": ["approved"]},
        "pending": {"review_status_filters": ["pending"]},
        "after": {"created_after": datetime(2000, 1, 1, tzinfo=timezone.utc)},
        "future": {"created_after": datetime(2999, 1, 1, tzinfo=timezone.utc)},
    }
    page = sessions(limit=3, offset=2, include_trajectory_events=False, include_learning_data=False)
    first = next(trace for trace in (get_session_by_id(url, id, config=config) for id in range(1, 1000)) if trace)
    json.dump(
        {
            "sessions": {uuid_of(trace): session_of(trace) for trace in everything},
            "order": [uuid_of(trace) for trace in everything],
            "filtered": {name: [uuid_of(trace) for trace in sessions(limit=None, **asked)] for name, asked in by_filter.items()},
            "counted": {name: count(**asked) for name, asked in by_filter.items()},
            "count": count(),
            "page": [uuid_of(trace) for trace in page],
            "bare": all(trace.trajectory_events is None and trace.session_reward is None for trace in page),
            "first": uuid_of(first),
            "absent": get_session_by_id(url, 2_000_000_000, config=config) is None,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main(*sys.argv[1:4])
