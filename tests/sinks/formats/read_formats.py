"""Reads training files with pyarrow, DuckDB, `datasets` and the types of OpenAI's client; prints what they saw as JSON.

    python read_formats.py FOLDER

Every reader infers types on its own: a file with two types at one path fails here.
"""

import json
import sys
import tempfile
from pathlib import Path

import duckdb
import pyarrow.json
import pyarrow.parquet
from datasets import load_dataset
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from pydantic import TypeAdapter

MESSAGES = TypeAdapter(list[ChatCompletionMessageParam])
TOOLS = TypeAdapter(list[ChatCompletionToolParam])


def load(kind, path, cache):
    return load_dataset(kind, data_files=str(path), split="train", cache_dir=cache)


def check_chat(path):
    checked = 0
    for line in path.read_text("utf-8").splitlines():
        record = json.loads(line)
        for message in MESSAGES.validate_python(record["messages"], strict=True):
            list(message.get("tool_calls", []))
        TOOLS.validate_python(record.get("tools", []), strict=True)
        checked += 1
    return checked


def main(folder):
    seen = {}
    with tempfile.TemporaryDirectory() as cache:
        for path in sorted(Path(folder).glob("*.jsonl")):
            rows = load("json", path, cache)
            options = pyarrow.json.ReadOptions(block_size=64 << 20)
            table = pyarrow.json.read_json(path, read_options=options)
            assert table.num_rows == len(rows)
            seen[path.stem] = {"rows": len(rows), "columns": sorted(table.column_names)}
            if path.stem == "openai-chat":
                seen[path.stem]["checked"] = check_chat(path)
            if path.stem == "trl-rollouts":
                groups = {}
                for row in rows:
                    groups.setdefault(row["group_id"], []).append([row["rollout"], row["reward"]])
                seen[path.stem]["groups"] = groups
        parquet = Path(folder) / "parquet.parquet"
        rows = load("parquet", parquet, cache)
        table = pyarrow.parquet.read_table(parquet)
        frame = duckdb.sql(f"select session_id, task, reward, steps, created_at from '{parquet}' order by session_id")
        seen["parquet"] = {
            "rows": [len(rows), table.num_rows, len(frame)],
            "types": {field.name: str(field.type) for field in table.schema},
            "tasks": {row["session_id"]: row["task"] for row in rows},
            "rewards": {row["session_id"]: row["reward"] for row in rows},
            "created": {row["session_id"]: row["created_at"].isoformat() for row in table.to_pylist()},
            "records": {row["session_id"]: row["record"] for row in rows},
            "duckdb": [[row[0], row[1], row[2], row[3]] for row in frame.fetchall()],
            "groups": pyarrow.parquet.ParquetFile(parquet).num_row_groups,
        }
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
