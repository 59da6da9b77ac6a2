"""What the progress of a run prints."""

from bench.cli.console import RunProgress


def test_missing_files_are_told_once_for_all_that_share_a_reason(capsys):
    with RunProgress() as progress:
        for k in range(3):
            text = f"mfifb/fused/c_{k}.jpg is not on disk, and there is no network"
            progress.done(f"liu2020/c_{k}: mfifb:asr", "skipped", text, cached=False)
        for k in range(2):
            progress.done("x: lp", "failed", f"/data/{k}.png: damaged", cached=False)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "skipped",
        "failed",
        "failed",
        "2 failed, 3 skipped; 0 of them were finished before",
    ]
