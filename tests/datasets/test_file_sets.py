"""The files behind the name of a collection, a dataset or a subset, and the commands about them."""

from __future__ import annotations

import json

import pytest

from bench.cli.main import main
from bench.core.errors import UnknownName, UsageError
from datasets.by_hand import hand_collections
from datasets.catalog import collections
from datasets.file_sets import file_set


@pytest.mark.parametrize("name", [*collections(), *hand_collections()])
def test_every_collection_is_one(name):
    found = file_set(name)
    assert found.title
    assert found.licence
    assert found.citation
    assert found.home
    source = collections().get(name)
    if source:
        assert (len(found.files), found.bytes) == (source.files, source.bytes)
    else:
        assert len(found.by_hand) == hand_collections()[name].scenes


def test_a_dataset_has_the_files_of_its_scenes():
    assert {whose for whose, _ in file_set("lytro-triple").files} == {"drl-fpd"}
    assert len(file_set("lytro").files) == 40
    assert len({whose for whose, _ in file_set("stacks").files}) == 7
    assert len(file_set("mfi-whu/mfi-whu_0*").files) == 18
    assert len(file_set("mfi-whu").only("input/*").files) == 60


def test_the_list_says_where_files_of_many_commits_are_from(capsys):
    assert main(["data", "list", "weights", "lytro", "mffw"]) == 0
    shown = capsys.readouterr().out
    assert "@ one for each file, in its address\n" in shown
    assert f"@ {collections()['mffw'].commit[:8]}\n" in shown


def test_names_are_listed_once():
    with pytest.raises(UnknownName) as caught:
        file_set("xyzxyz")
    names = str(caught.value).partition("known: ")[2].partition(" and ")[0].split(", ")
    assert len(names) == len(set(names))


def test_names_without_files():
    with pytest.raises(UnknownName, match="did you mean 'stacks'"):
        file_set("stack")
    with pytest.raises(UsageError, match="need no files"):
        file_set("synthetic-lens")


@pytest.mark.parametrize("name", hand_collections())
def test_commands_say_what_to_do(name, offline, capsys):
    steps = hand_collections()[name].steps
    assert main(["data", "list", name]) == 0
    assert f"to do    {steps}" in capsys.readouterr().out
    assert main(["data", "fetch", name]) == 4
    said = capsys.readouterr()
    assert said.err.count(steps) == 1
    assert said.out.startswith("0 of ")
    assert main(["data", "check", name]) == 3
    assert steps in capsys.readouterr().err


def test_list_of_all_collections(offline, capsys):
    assert main(["data", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == [*collections(), *hand_collections()]
    assert all(row["here"] == 0 for row in rows)
