"""Reads training lines the way Hugging Face's Dataset.from_list does, in several cuts of the file."""

import json
import sys

import pyarrow as pa

with open(sys.argv[1], encoding="utf-8") as file:
    records = [json.loads(line) for line in file]


def read(rows):
    columns = {key: [row.get(key) for row in rows] for key in rows[0]}
    return pa.table({key: pa.array(values) for key, values in columns.items()})


half = len(records) // 2
for rows in (records, records[::-1], records[:half], records[half:], records[-1:]):
    table = read(rows)
    assert table.num_rows == len(rows)
    assert table.column_names == list(records[0])
print(len(records))
