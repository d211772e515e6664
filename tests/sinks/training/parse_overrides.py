"""Prints what Hydra makes of overrides, given as a JSON array on standard input."""

import json
import sys

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

parsed = []
for override in OverridesParser.create().parse_overrides(json.load(sys.stdin)):
    assert not override.is_sweep_override(), override.input_line
    config = OmegaConf.create({"value": override.value()})
    parsed.append([override.key_or_group, OmegaConf.to_container(config, resolve=True)["value"]])
print(json.dumps(parsed))
