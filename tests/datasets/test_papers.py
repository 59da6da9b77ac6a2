"""Every published row has its paper."""

import re

import pytest

from datasets.papers import paper_of, papers
from datasets.published import PUBLISHED, published_images

NAMES = [f"{name}:{method}" for name in PUBLISHED for method in published_images(name)]


@pytest.mark.parametrize("name", NAMES)
def test_each_published_row_has_a_paper(name):
    paper = paper_of(name)
    assert paper is not None
    assert paper.title
    assert 1990 < paper.year < 2030
    assert str(paper.year) in paper.citation
    assert paper.bibtex.count("{") == paper.bibtex.count("}")
    assert paper.doi == "" or re.fullmatch(r"10\.\d{4,5}/[\w.()/-]+", paper.doi)


def test_keys_and_dois_belong_to_one_paper_each():
    every = set(papers().values())
    assert len({paper.key for paper in every}) == len(every)
    dois = [paper.doi for paper in every if paper.doi]
    assert len(set(dois)) == len(dois)


def test_no_row_is_listed_that_is_not_published():
    assert set(papers()) == set(NAMES)
