"""Files of the catalogue that methods read, which are downloaded on first use."""

from __future__ import annotations

from pathlib import Path

from bench.core.errors import DataUnavailable, Skipped
from datasets.catalog import CataloguedFile
from datasets.fetch import local_path


def path_of(file: CataloguedFile) -> Path:
    """A verified file on disk.

    Raises
    ------
    Skipped
        It is not on disk and cannot be downloaded; the command that does is named.
    EnvironmentFault
        The file in ``MFIF_DATA`` differs from the catalogue.
    """
    try:
        return local_path(file.collection, file.path)
    except DataUnavailable:
        raise Skipped(
            f"its file {file.collection}/{file.path} is not on disk; `{file.command}` downloads it"
        ) from None
