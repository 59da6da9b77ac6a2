"""Fuse photos that are focused at different depths into one.

A folder stands for its images, in the order of their names. EXIF and colour profile are kept;
TIFF and PNG keep 16 bits.

for example:
  python -m bench fuse near.jpg far.jpg -o sharp.jpg
  python -m bench fuse my_stack -o sharp.tif --align ecc --crop --index-map depth.png
  python -m bench fuse my_stack -o sharp.png --method gf
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.cli import console
from bench.core.precision import PRECISIONS

#: Photos may stand before and behind the options.
INTERMIXED = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``fuse``."""
    add = parser.add_argument
    add("images", nargs="+", type=Path, metavar="IMG", help="photos of one size, or folders")
    add(
        "-o",
        "--out",
        required=True,
        type=Path,
        metavar="FILE",
        help="the fused photo: .tif and .png keep 16 bits, .jpg and .webp have 8",
    )
    add(
        "--method",
        default="fcn-x",
        metavar="NAME",
        help="fusion method, also NAME@parameter=value; bench list methods (default: fcn-x)",
    )
    add(
        "--align",
        nargs="?",
        const="ecc",
        default="none",
        metavar="METHOD",
        help="register the photos to the first one: ecc (what --align alone means), features, "
        "none (default)",
    )
    add(
        "--crop",
        action="store_true",
        help="cut off the border that not all aligned photos cover (default: mirrored there)",
    )
    add(
        "--index-map",
        type=Path,
        metavar="FILE.png",
        help="also write which photo each pixel is from: black the first, white the last one",
    )
    add(
        "--bits",
        type=int,
        metavar="N",
        help="bits of 16-bit photos; the fused photo has as many (default: what their largest "
        "value needs)",
    )
    add("--device", default="cpu", help="cpu, cuda or cuda:N, for learned methods (default: cpu)")
    add(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="number format of learned methods (default: auto)",
    )
    add("--json", action="store_true", help="print path and notes as a JSON object on stdout")


def run(args: argparse.Namespace) -> int:
    """Fuse, and print the path."""
    from bench.api import fuse_files

    with console.TextProgress() as progress:
        fused = fuse_files(
            args.images,
            args.out,
            args.method,
            align=args.align,
            crop=args.crop,
            index_map=args.index_map,
            bits=args.bits,
            device=args.device,
            precision=args.precision,
            on_step=progress,
        )
    for note in fused.notes:
        console.note(note)
    if args.json:
        images = [str(path) for path in fused.images]
        console.emit_json({"path": str(fused.path), "images": images, "notes": [*fused.notes]})
    else:
        console.emit(str(fused.path))
    return 0
