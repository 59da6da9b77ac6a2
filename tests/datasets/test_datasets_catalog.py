"""The catalogue: complete, pinned, citable."""

from __future__ import annotations

import re

import pytest

from datasets.catalog import collections


@pytest.mark.parametrize("name", sorted(collections()))
class TestCatalogue:
    def test_is_complete(self, name):
        source = collections()[name]
        assert all(str(value).strip() for value in vars(source).values())
        assert re.fullmatch(r"[0-9a-f]{40}", source.commit)
        assert source.commit in source.url
        assert source.url.startswith("https://")
        assert source.url.endswith("/")
        assert len(source.entries) == source.files
        assert sum(entry.bytes for entry in source.entries.values()) == source.bytes

    def test_files_are_proper(self, name):
        for path, entry in collections()[name].entries.items():
            assert re.fullmatch(r"[0-9a-f]{64}", entry.sha256)
            assert entry.bytes > 0
            assert ".." not in path
            assert not path.startswith("/")

    def test_bibtex_parses(self, name):
        """Entries, each with a key and fields in balanced braces; the DOI is cited in words too."""
        source = collections()[name]
        entries = re.findall(r"^@(\w+)\{(\w+),\n(.*?)^\}", source.bibtex, re.M | re.S)
        assert entries
        left = re.sub(r"^@(\w+)\{(\w+),\n(.*?)^\}", "", source.bibtex, flags=re.M | re.S)
        assert not left.strip()
        for kind, _, body in entries:
            parsed = dict(re.findall(r"^ +(\w+) += \{(.*)\},?$", body, re.M))
            assert len(parsed) == len(body.strip().splitlines())
            cited = {"year", "doi"} if "doi" in parsed else {"url"}  # a repository without a paper
            assert {"author", "title", *cited} <= set(parsed)
            assert kind != "article" or {"journal", "volume", "pages"} <= set(parsed)
            assert all(value.count("{") == value.count("}") for value in parsed.values())
        assert parsed.get("doi", parsed.get("url")) in source.citation or len(entries) > 1
