"""Measures the Python SDK: for each line of its input one line of JSON about one call.

"read URL LIMIT" calls its client; "export URL LIMIT FILE" calls its exporter, with all events that it can give.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

from atlas.cli.jsonl_writer import export_sessions
from atlas.config.models import StorageConfig
from atlas.runtime.storage.database import Database
from atlas.training_data import get_training_sessions

EVERY_EVENT = 1_000_000


def read(config, limit):
    start = time.perf_counter()
    sessions = get_training_sessions(config.database_url, limit=limit, config=config)
    seconds = time.perf_counter() - start
    return seconds, len(sessions), sum(len(session.trajectory_events) for session in sessions), 0


async def export(config, limit, path):
    database = Database(config)
    await database.connect()
    try:
        start = time.perf_counter()
        summary = await export_sessions(
            database,
            Path(path),
            limit=limit,
            trajectory_limit=EVERY_EVENT,
            include_all_review_statuses=True,
        )
        seconds = time.perf_counter() - start
    finally:
        await database.disconnect()
    return seconds, summary.sessions, 0, os.path.getsize(path)


for line in sys.stdin:
    what, url, limit, *path = line.split()
    config = StorageConfig(database_url=url, apply_schema_on_connect=False)
    call = read(config, int(limit)) if what == "read" else asyncio.run(export(config, int(limit), path[0]))
    print(json.dumps(dict(zip(("seconds", "sessions", "events", "bytes"), call))), flush=True)
