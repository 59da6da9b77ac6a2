"""Fuse the photos of a stack into a file: what ``bench fuse`` does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from bench.core.errors import ImageError, UsageError
from bench.core.precision import Precision
from bench.core.remarks import collect

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Told what is being done.
Step = Callable[[str], object]


@dataclass(frozen=True)
class FusedFile:
    """A fused photo.

    Attributes
    ----------
    path : Path
        Where it was written.
    images : tuple of Path
        What it was fused from, in this order.
    notes : tuple of str
        What a user should know: of the files, of a misalignment, of the alignment.
    """

    path: Path
    images: tuple[Path, ...]
    notes: tuple[str, ...]


def fuse_files(
    images: str | Path | Sequence[str | Path],
    out: str | Path,
    method: str = "fcn-x",
    *,
    align: str = "none",
    crop: bool = False,
    index_map: str | Path | None = None,
    bits: int | None = None,
    device: str = "cpu",
    precision: Precision = "auto",
    on_step: Step | None = None,
) -> FusedFile:
    """Fuse photos that are focused at different depths into one file.

    Parameters
    ----------
    images : path-like or sequence of path-like
        Photos of one size in the order of their planes of focus; a folder stands for its images in
        the order of their names (``img2`` before ``img10``).
    out : path-like
        The file: TIFF and PNG keep 16 bits, JPEG and WebP have 8. EXIF and colour profile are
        those of the first photo.
    method : str
        Name of a fusion method, or ``NAME@parameter=value``.
    align : str
        Aligns the photos to the first one before: ``"ecc"``, ``"features"``, ``"none"``.
    crop : bool
        Cut off the border that not all aligned photos cover; else it is mirrored there.
    index_map : path-like, optional
        PNG file for the map of which photo each pixel was taken from: black is the first, white
        the last one.
    bits : int, optional
        See `bench.fuse`.
    device, precision : str
        See `bench.fuse`.
    on_step : callable, optional
        Called with a few words before each step.

    Returns
    -------
    FusedFile
        Its notes say by how much the photos are misaligned when `align` is ``"none"``.

    Raises
    ------
    UsageError
        Fewer than two photos, an ending that is not written, a name that does not exist, a file to
        write that is one of the photos.
    ImageError
        A photo cannot be read, their sizes differ, or they cannot be aligned.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from bench.api import fuse_files
    >>> from bench.core.image_io import read_image, write_image
    >>> from datasets import load_scenes
    >>> folder = Path(tempfile.mkdtemp())
    >>> for k, source in enumerate(load_scenes("synthetic-lens/coins")[0].images.sources):
    ...     write_image(folder / "stack" / f"{k}.png", source)
    >>> fused = fuse_files(folder / "stack", folder / "fused.tif", "lp")
    >>> read_image(fused.path).shape, len(fused.images), fused.notes
    ((303, 384), 2, ())
    """
    from bench.api.images import fuse
    from bench.core.image_io import read_image, write_image
    from bench.core.photo_files import is_8bit, read_metadata, write_photo
    from bench.core.pixels import same_size
    from datasets.alignment import NONE, check_alignment
    from datasets.bits import bits_to_scale, check_bits, scale_bits

    say = on_step or (lambda text: None)
    files, aligning = photos_of(images), check_alignment(align) != NONE
    _check_targets(Path(out), None if index_map is None else Path(index_map), files)
    if crop and not aligning:
        raise UsageError("--crop needs --align: photos that are not moved cover one area")
    arrays: list[NDArray[Any]] = []
    with collect() as notes:
        for file in files:
            say(f"reading {file.name}")
            arrays.append(read_image(file))
    names = [str(file) for file in files]
    same_size(arrays, names)
    scaled = bits_to_scale(arrays, names, check_bits(bits))
    if len({array.dtype for array in arrays}) > 1:
        notes.append("some photos have 8 bits, others 16: the fused photo has 8")
    say("aligning" if aligning else "looking for misalignment")
    more = _aligned(arrays, align, crop) if aligning else _misaligned(arrays)
    say(f"fusing with {method}")
    fused = fuse(method, arrays, bits=bits, device=device, precision=precision)
    say(f"writing {out}")
    written = fused
    if fused.dtype.itemsize == 2 and is_8bit(out):
        more.append(f"{out}: has the upper 8 of {scaled or 16} bits; TIFF and PNG keep them all")
        written = scale_bits(fused, scaled)  # 12 bits as they are would be nearly black
    write_photo(out, written, read_metadata(files[0]))
    if index_map is not None:
        write_image(index_map, _index_map(arrays, fused))
    return FusedFile(Path(out), tuple(files), (*notes, *more))


def photos_of(images: str | Path | Sequence[str | Path]) -> list[Path]:
    """The photos that paths of files and folders stand for.

    Raises
    ------
    UsageError
        They are fewer than two.
    ImageError
        A path does not exist.
    """
    from bench.core.image_io import SUFFIXES
    from datasets.layouts.files import natural

    given = [images] if isinstance(images, str | Path) else images
    files: list[Path] = []
    for path in map(Path, given):
        if path.is_dir():
            inside = [file for file in path.iterdir() if file.suffix.lower() in SUFFIXES]
            inside = [file for file in inside if not file.name.startswith(".")]
            files += sorted(inside, key=lambda file: natural(file.name))
        elif path.is_file():
            files.append(path)
        else:
            raise ImageError(f"{path}: no such file or folder")
    if len(files) < 2:
        said = ", ".join(map(str, given)) or "nothing"
        raise UsageError(f"{said}: {len(files)} photo; fusion needs at least two")
    return files


def _check_targets(out: Path, index_map: Path | None, files: Sequence[Path]) -> None:
    """Raise `UsageError` if a file to write has no ending of photos, or is one of the photos."""
    from bench.core.photo_files import check_ending

    check_ending(out)
    if index_map is not None and index_map.suffix.lower() != ".png":
        raise UsageError(f"{index_map}: the index map is written as .png")
    if index_map is not None and index_map.absolute() == out.absolute():
        raise UsageError(f"{out}: the fused photo and the index map need two files")
    for target in filter(None, (out, index_map)):
        if target.exists() and any(target.samefile(file) for file in files):
            raise UsageError(f"{target}: is one of the photos to fuse; write to another file")


def _aligned(arrays: list[NDArray[Any]], method: str, crop: bool) -> list[str]:
    """Align the images where they are, one by one; returns what a user should know."""
    import numpy as np

    from datasets.alignment.stack import chained, common_rectangle, find_steps
    from datasets.alignment.transforms import covered, displacement, resample

    steps = find_steps(arrays, method)
    transforms = chained(steps)
    height, width = arrays[0].shape[:2]
    inside = np.ones((height, width), bool)
    for k, transform in enumerate(transforms):
        if not np.array_equal(transform, np.eye(3)):
            arrays[k] = resample(arrays[k], transform)
            inside &= covered(transform, height, width)
    most = max(displacement(transform, height, width) for transform in transforms)
    left = max(step.left for step in steps)
    note = (
        f"aligned to the first photo: displaced by up to {most:.1f} px; parts of neighbours now "
        f"lie {left:.1f} px apart in the median"
    )
    if crop:
        rows, columns = common_rectangle(inside)
        arrays[:] = [np.ascontiguousarray(image[rows, columns]) for image in arrays]
        note += f"; cropped from {width}x{height} to {arrays[0].shape[1]}x{arrays[0].shape[0]}"
    return [note]


def _misaligned(arrays: Sequence[NDArray[Any]]) -> list[str]:
    """Notes on photos that need an alignment, or differ otherwise."""
    from datasets import SceneImages
    from datasets.notes import ADVICE, scene_notes

    notes = scene_notes(SceneImages(tuple(arrays)))
    return [note.replace(ADVICE, f"{ADVICE} (--align ecc)") for note in notes]


def _index_map(arrays: Sequence[NDArray[Any]], fused: NDArray[Any]) -> NDArray[np.uint8]:
    """Which image each pixel is closest to, from 0 to 255; where several are, as beside it."""
    import numpy as np
    from scipy.ndimage import distance_transform_edt

    from reports.data.focus import UNDECIDED, gray, nearest_source

    nearest = nearest_source(_Grays(arrays), gray(fused))
    undecided = nearest == UNDECIDED
    if undecided.all():
        return np.zeros_like(nearest)
    if undecided.any():
        rows, columns = distance_transform_edt(
            undecided, return_distances=False, return_indices=True
        )
        nearest = nearest[rows, columns]
    return np.round(nearest * (255 / (len(arrays) - 1))).astype(np.uint8)


class _Grays(Sequence["NDArray[np.float32]"]):
    """Luminance of images, one in memory at a time."""

    def __init__(self, arrays: Sequence[NDArray[Any]]) -> None:
        self._arrays = arrays

    def __len__(self) -> int:
        return len(self._arrays)

    @overload
    def __getitem__(self, index: int) -> NDArray[np.float32]: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[NDArray[np.float32]]: ...

    def __getitem__(
        self, index: int | slice
    ) -> NDArray[np.float32] | Sequence[NDArray[np.float32]]:
        from reports.data.focus import gray

        if isinstance(index, slice):
            return _Grays(self._arrays[index])
        return gray(self._arrays[index])
