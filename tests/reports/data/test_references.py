"""Published rows bring their papers to the leaderboard."""

from reports.data.references import bibliography, papers_of


def test_each_paper_once_and_only_of_published_rows():
    rows = ["lp", "mfifb:nsct-sr", "liu2020:nsct-sr", "liu2020:nsct-sr+jpeg", "liu2020:gff"]
    assert list(papers_of(rows)) == ["mfifb:nsct-sr", "liu2020:nsct-sr", "liu2020:gff"]
    text = bibliography(rows)
    assert text.count("@article") == 2
    assert text.index("Li2013GFF") < text.index("Liu2015MSTSR")
    assert bibliography(["lp"]) == ""
