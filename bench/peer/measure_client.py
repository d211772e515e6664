"""Measures the Python SDK's client: for each line "URL LIMIT" of its input, one line of JSON about one call."""

import json
import sys
import time

from atlas.config.models import StorageConfig
from atlas.training_data import get_training_sessions

for line in sys.stdin:
    url, limit = line.split()
    config = StorageConfig(database_url=url, apply_schema_on_connect=False)
    start = time.perf_counter()
    sessions = get_training_sessions(url, limit=int(limit), config=config)
    seconds = time.perf_counter() - start
    events = sum(len(session.trajectory_events) for session in sessions)
    print(json.dumps({"seconds": seconds, "sessions": len(sessions), "events": events}), flush=True)
