"""``python docs/check_html.py DIR``: links of built pages lead somewhere, and pages load nothing.

Addresses of other sites are only followed by readers; none is loaded by a page, and no network is
used here.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: Elements whose address a browser loads by itself, and the attribute that holds it.
LOADED = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src"}


class Addresses(HTMLParser):
    """Collects the anchors of a page, what it links to, and what it loads."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.anchors: set[str] = {""}
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the addresses of one element."""
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif tag in LOADED and LOADED[tag] in found:
            self.loads.append(found[LOADED[tag]])


def faults(folder: Path) -> list[str]:
    """One line for each address that leads nowhere or is loaded from another site."""
    files = [file for file in sorted(folder.rglob("*.html")) if "_static" not in file.parts]
    pages = {page.resolve(): Addresses(page) for page in files}
    found = []
    for page, addresses in pages.items():
        where = page.relative_to(folder.resolve())
        for address in (*addresses.links, *addresses.loads):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                if address in addresses.loads and parts.scheme != "data":
                    found.append(f"{where}: loads {address}")
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if target.is_dir():
                target /= "index.html"
            if not target.exists():
                found.append(f"{where}: {address} does not exist")
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
                found.append(f"{where}: {address}: the page has no such part")
    return found


if __name__ == "__main__":
    lines = faults(Path(sys.argv[1]))
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.exit(bool(lines))
