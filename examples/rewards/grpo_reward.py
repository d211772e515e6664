"""A reward function for GRPO trainers that asks Atlas' judges: `atlas worker` scores, nothing but Python is needed.

    from grpo_reward import atlas_reward
    trainer = GRPOTrainer(model=..., reward_funcs=atlas_reward, train_dataset=...)

A completion without a valid judgement gets None, which trainers leave out; it is not 0. Columns of the dataset come as
further arguments: `ground_truth` is shown to the judges.

    python3 grpo_reward.py "What is 7 times 6?" "42"     # tries it on one answer
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

URL = os.environ.get("ATLAS_SCORE_URL", "http://127.0.0.1:9464/score")
TOKEN = os.environ.get("ATLAS_WORKER_TOKEN")
TIMEOUT_SECONDS = 330
TRIES = 3


def score(trace, rubric=None):
    """What the judges make of one trace: `score`, `uncertainty`, `judges`, `steps`, `missing` and more."""
    body = {"trace": trace} if rubric is None else {"trace": trace, "rubric": rubric}
    headers = {"content-type": "application/json"}
    if TOKEN:
        headers["authorization"] = f"Bearer {TOKEN}"
    request = urllib.request.Request(URL, json.dumps(body).encode(), headers)
    for attempt in range(1, TRIES + 1):
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code != 429:
                raise RuntimeError(json.load(error)["error"]) from error
            failure = error
        except urllib.error.URLError as error:
            failure = error
        if attempt < TRIES:
            time.sleep(2**attempt)
    raise RuntimeError(f"{URL} gave no score: {failure}")


def text_of(message):
    """Trainers pass plain texts, or lists of chat messages whose last one counts."""
    return message if isinstance(message, str) else message[-1]["content"]


def atlas_reward(prompts, completions, ground_truth=None, **_columns):
    """One reward from 0 to 1 for each completion; None where no judge gave a valid score."""
    truths = ground_truth or [None] * len(prompts)
    traces = [
        {"task": text_of(prompt), "final_answer": text_of(completion), "ground_truth": truth}
        for prompt, completion, truth in zip(prompts, completions, truths)
    ]
    with ThreadPoolExecutor(max_workers=8) as pool:
        return [scored["score"] for scored in pool.map(score, traces)]


if __name__ == "__main__":
    print(json.dumps(atlas_reward(sys.argv[1:2], sys.argv[2:3])))
