"""The results that the repository keeps are those of the boards, and can be made again."""

from __future__ import annotations

import dataclasses

import pytest

from bench.cli.main import main
from bench.engine.selection import select_methods, select_metrics, select_scenes
from reports import published

BOARDS = {board.name: board for board in published.BOARDS}


@pytest.mark.parametrize("name", BOARDS)
def test_what_a_board_selects_exists(name):
    board = BOARDS[name]
    scenes = select_scenes(list(board.datasets))
    assert scenes
    assert select_methods(list(board.methods), scenes)
    assert select_metrics(list(board.metrics))


def test_every_leaderboard_is_of_a_board():
    kept = {page.parent.name for page in published.FOLDER.glob("*/leaderboard.md")}
    assert kept <= set(BOARDS)
    for name in kept:
        text = (published.FOLDER / name / "leaderboard.md").read_text()
        assert " ".join(BOARDS[name].command(published.DEFAULT)) in text


@pytest.mark.slow
def test_a_board_is_run_and_written(tmp_path, monkeypatch):
    board = published.Board("small", "two scenes", ("synthetic/coins",), ("lp", "gf", "source-a"))
    monkeypatch.setattr(published, "FOLDER", tmp_path / "kept")
    monkeypatch.setattr(published, "BOARDS", (board,))
    assert published.main(["--work", str(tmp_path / "work")]) == 0
    text = (tmp_path / "kept" / "small" / "leaderboard.md").read_text()
    assert text.startswith("# Leaderboard of two scenes\n")
    assert str(tmp_path) not in text
    assert published.main(["other"]) == 2


def test_a_run_of_another_selection_is_no_board(capsys):
    assert published.main(["nothing"]) == 2
    assert "unknown result 'nothing'" in capsys.readouterr().err
    assert main(["report", "leaderboard", "--out", "nowhere"]) == 4


def test_boards_have_names_of_their_own():
    assert len(BOARDS) == len(published.BOARDS)
    assert all(dataclasses.replace(board).command(published.DEFAULT) for board in BOARDS.values())
