"""Loads folders of datasets as their readers do; prints what it saw as JSON.

    python read_folders.py FOLDER...

Folders in which `same` and `other` are two builds of one format are joined.
"""

import json
import sys
import tempfile
from pathlib import Path

from datasets import concatenate_datasets, disable_progress_bars, load_dataset

disable_progress_bars()


def rows_of(loaded):
    return {name: [json.loads(json.dumps(row, default=str)) for row in part] for name, part in loaded.items()}


def main(folders):
    seen = {}
    with tempfile.TemporaryDirectory() as cache:
        for folder in folders:
            builds = {path.name: load_dataset(str(path), cache_dir=cache) for path in sorted(Path(folder).iterdir())}
            parts = [part for build in builds.values() for part in build.values()]
            joined = concatenate_datasets(parts)
            seen[Path(folder).name] = {
                "rows": {name: rows_of(build) for name, build in builds.items()},
                "joined": len(joined),
                "types": {name: str(feature) for name, feature in joined.features.items()},
            }
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
