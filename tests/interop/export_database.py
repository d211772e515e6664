"""Exports sessions with the Python SDK's own exporter, lists them with its review tool, and prints both as JSON.

    python export_database.py DATABASE_URL FILE
"""

import asyncio
import json
import sys
from pathlib import Path

from atlas.cli.jsonl_writer import export_sessions
from atlas.cli.review import ReviewClient, format_review_groups
from atlas.config.models import StorageConfig
from atlas.runtime.storage.database import Database


async def main(url, path):
    database = Database(StorageConfig(database_url=url, apply_schema_on_connect=False))
    await database.connect()
    try:
        approved = await export_sessions(database, Path(path))
        # Not splitlines: the exporter leaves line ends of Unicode as they are.
        lines = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").split("\n") if line]
        every = await export_sessions(database, Path(path), include_all_review_statuses=True)
        client = ReviewClient(url)
        client._database = database  # Its own would look for the file that the package lacks.
        groups = await client.list_sessions(["pending", "approved", "quarantined"], limit=20, offset=0)
    finally:
        await database.disconnect()
    print(
        json.dumps(
            {
                "approved": [line["session_metadata"]["session_id"] for line in lines],
                "counts": [approved.sessions, every.sessions],
                "lines": lines,
                "review": {status: len(sessions) for status, sessions in groups.items()},
                "listing": format_review_groups(groups),
            }
        )
    )


asyncio.run(main(*sys.argv[1:]))
