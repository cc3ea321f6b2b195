"""What earlier versions wrote: each rule stands in earlier.py, and names what is there today."""

from __future__ import annotations

import dataclasses
import json

import pytest

from hornbook import earlier
from hornbook.data.sections import DataSection
from hornbook.data.split_key import SplitKey
from hornbook.training.config import resolve

MODEL = {"context_length": 8, "d_model": 8, "num_layers": 1, "num_heads": 2}
OLD_KEY = SplitKey(training=(("aa", 5),), validation=0.1, errors="strict", tokenizer="bb")


def test_a_field_that_a_split_key_gained_is_named_and_out_of_the_digest():
    gained = {field.name for field in dataclasses.fields(SplitKey) if field.default is not dataclasses.MISSING}
    assert gained - {"version"} == set(earlier.LATER_OF_SPLIT)
    old = {"errors": "strict", "tokenizer": "bb", "training": [["aa", 5]], "validation": 0.1, "version": 1}
    assert json.loads(OLD_KEY.description) == old
    assert dataclasses.replace(OLD_KEY, validation_seed=1).digest != OLD_KEY.digest


@pytest.mark.parametrize(
    ("stored", "whole"), [({}, True), ({"every": 5}, True), ({"max_tokens": 9}, False), ({"share": 0.1}, False)]
)
def test_a_stored_recipe_means_what_the_version_that_wrote_it_did(stored, whole):
    config = resolve(earlier.as_stored({"model": MODEL, "evaluation": stored}))
    assert (config.data.validation_from, config.data.one_stream, config.evaluation.full) == ("tail", False, whole)
    today = resolve({"model": MODEL})
    assert resolve(earlier.as_stored(today.to_dict())) == today


def test_only_keys_that_came_later_can_be_left_unsaid():
    default = DataSection.one_stream
    assert earlier.is_unsaid("data.one_stream", default, default)
    assert not earlier.is_unsaid("data.one_stream", not default, default)
    assert not earlier.is_unsaid("data.order", DataSection.order, DataSection.order)
