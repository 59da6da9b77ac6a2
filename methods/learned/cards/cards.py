"""``python -m methods.learned.cards.cards``: write the model cards from records and scores.

A card says in words what the record of its weights and `HELD_OUT` hold.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from bench.core.files import write_bytes
from datasets.heldout import COLOURS
from methods.learned import WEIGHTS

#: Scores of the shipped weights on held-out pairs; ``python -m reports.docs --heldout RUN``
#: writes it.
HELD_OUT = WEIGHTS / "heldout.json"

TERMS = (
    "Photos and segmentations of BSDS500 (Arbeláez, Maire, Fowlkes, Malik 2011): research and "
    "education, not for commerce. The 200 `train` photos train, the first 50 `val` photos decide "
    "when to stop, the other 50 are held out for the scores below. No image of any benchmark "
    "of fusion was trained on."
)

_BITS = (
    "With `--deterministic` only kernels that sum in one order are used: a CUDA test trains each "
    "network twice for twelve steps and finds the same bits. A whole run was not repeated."
)

#: Trainings beside the shipped ones, with their curves.
TRAINED_AGAIN = WEIGHTS / "again.json"

#: Method names per weights file, and what to use and not to use it for.
ABOUT: dict[str, tuple[tuple[str, ...], str, str]] = {
    "fcn": (
        ("fcn",),
        "The two-stream network of Xu et al. 2018, plain regression: one network for luminance, "
        "one for the four channels R, G, B and gray.",
        "Every pixel is computed anew: tones may shift by a level or two, noise is partly "
        "smoothed away, and what differs between the sources in other ways than focus is "
        "mixed. It sees 17 x 17 pixels, so a flat region is a guess. Two sources at a time.",
    ),
    "fcn-w": (
        ("fcn-w",),
        "The body of the two-stream network with a sigmoid head: one weight per pixel, tones "
        "and colours from the sources.",
        "It sees 17 x 17 pixels and was trained on Gaussian region blur without noise: on "
        "noisy pairs its weights scatter in flat regions. The near-perfect score on region "
        "pairs says that a step between a photo and its blur is easy to find, not that real "
        "pairs are.",
    ),
    "fcn-x": (
        ("fcn-x", "fcn-x-hard"),
        "FocusNet (`methods/learned/nets/focusnet.py`), any number of sources: soft scores for the "
        "least error and hard ones for copying.",
        "Trained on synthetic defocus of photos of 480 x 320: Gaussian regions, two and three "
        "planes through a lens, surfaces of low texture, leaning surfaces; with slight "
        "motion, grain and JPEG in most scenes. Large flat regions can be given to either source, "
        "more so with interlaced noise. Moving objects and wrong registration are not detected. "
        "Between the four trainings the results on the real pairs of liu2020 were looked at, and "
        "spots there led to other training data: those pairs had a say in the design. The last "
        "such change, surfaces of low texture, costs 5 dB on region pairs and 0.6 dB on lens "
        "pairs (ten of each) and gives cleaner decisions on real ones. Most "
        "defocus in training was of ten pixels or less, so from 5.2 megapixels on it decides on a "
        "smaller view unless told otherwise (`shrink`).",
    ),
    "fcn-s": (
        ("fcn-s", "fcn-s-hard"),
        "SmallFocusNet (`methods/learned/nets/smallnet.py`), any number of sources: as FocusNet, "
        "but narrower and on scales from 1/4 to 1/32 of the resolution, an eighth of the "
        "operations. Trained on a processor.",
        "Trained on the same scenes as `fcn-x`, with the same limits. Outlines finer than its "
        "cells of 4 x 4 pixels cost it about one dB on lens pairs and 18 on region pairs, "
        "whose boundaries are sharp to the pixel. Its decisions have more holes in flat parts than "
        "those of `fcn-x-hard`.",
    ),
    "cnn": (
        ("cnn",),
        'The "slight" variant of the network of Liu et al. 2017, without the layer of 256 units.',
        "A window of 16 x 16 pixels decides, so thin objects lose their outline. Trained on "
        "one kind of Gaussian blur, as in the paper, of BSDS500 in place of ImageNet.",
    ),
    "srcnn": (
        ("srcnn",),
        "SRCNN 9-1-5 merging features by clarity (Zhong et al. 2016): one network at the "
        "sources' resolution, one for sources enlarged twice.",
        "8129 parameters: soft where the 7 x 7 clarity is wrong, at boundaries above all. "
        "Luminance only; colour is carried over.",
    ),
}


def _command(name: str, part: str, run: dict[str, Any]) -> str:
    """What trains one network of a file again."""
    device = "cuda" if _on_cuda(run) else "cpu"
    exactly = " --deterministic" if run.get("deterministic") else ""
    # When it is validated decides which weights are the best.
    if (count := run.get("planned", {}).get("validations", 40)) != 40:
        exactly += f" --validations {count}"
    if "bf16" in run:  # else the device decided, and would again
        exactly += f" --precision {'bf16' if run['bf16'] else 'fp32'}"
    if run.get("phase", "first") != "first":
        exactly += f" --phase {run['phase']}"
    if run.get("earlier"):  # from what the command before it wrote
        exactly += f" --from-weights results/train/{name}.safetensors"
    return (
        f"python -m bench train {name}.{part} --data BSDS500 --device {device} "
        f"--steps {run['steps']} --seed {run['seed']}{exactly}"
    )


def _phases(run: dict[str, Any]) -> list[dict[str, Any]]:
    """Records of all trainings of a network, the first one first, as far as they are known."""
    known = [phase for phase in run.get("earlier", []) if "recipe" in phase]
    return [phase | {"earlier": known[:k]} for k, phase in enumerate(known)] + [run]


def _kind(recorded: str) -> str:
    """A kind of pair as it is called now."""
    return "low-texture" if recorded == "sparse" else recorded


def _on_cuda(run: dict[str, Any]) -> bool:
    """Whether a network was trained on CUDA, as all were whose records do not say."""
    return bool(run.get("cuda", True))


def _arithmetic(runs: list[dict[str, Any]]) -> str:
    return "bf16 autocast" if all(run.get("bf16", True) for run in runs) else "float32"


def _circumstances(runs: list[dict[str, Any]]) -> str:
    """What the wall time depends on."""
    if all(_on_cuda(run) for run in runs):
        return "Several networks shared the device, hence the wall time."
    threads = ", ".join(str(run["threads"]) for run in runs if not _on_cuda(run))
    return f"On {threads} threads of a processor; another number of them rounds otherwise."


def again(name: str, record: dict[str, Any]) -> list[str]:
    """What other trainings of the same networks came to."""
    lines = []
    if any(run.get("deterministic") for run in record["networks"].values()):
        lines.append(_BITS)
    for run in json.loads(TRAINED_AGAIN.read_text()):
        method, part = run["recipe"].split(".")
        if method == name:
            lines.append(
                f"`{part}` trained {run['what']}: {run['validation_psnr']:.2f} dB on validation "
                f"after {run['steps']} steps at a rate of {run['rate']:g} ({run['stopped']})."
            )
    return lines or ["No second training was carried to its end."]


def _wide(scores: dict[str, Any]) -> str:
    """What the columns of the data sets of `datasets.heldout_wide` are, where there are any."""
    about = {
        "wide": "`heldout-wide` (blur from 1 to 11 pixels, soft outlines, objects of other photos)",
        "stack": f"{scores['pairs'].get('stack')} stacks `heldout-stack` (4 to 12 sources)",
    }
    return "".join(f", {text}" for kind, text in about.items() if kind in scores["psnr"])


def card(name: str, record: dict[str, Any], scores: dict[str, Any]) -> str:
    """The model card of one weights file, Markdown."""
    methods, what, limits = ABOUT[name]
    trained = [(part, p) for part, run in record["networks"].items() for p in _phases(run)]
    runs = [run for _, run in trained]
    columns = [(k, c) for k, found in scores["psnr"].items() for c in COLOURS if c in found]
    lines = [f"# {name}.safetensors", "", what, "", f"SHA-256 `{record['sha256']}`.", ""]
    lines += ["## Data and terms", "", TERMS, "", "## Recipe", ""]
    lines += [
        "| network | parameters | pools (scenes, share) | batch x crop | rate | steps | seed "
        "| wall time | device | validation PSNR |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for part, run in trained:
        phase = f", {run['phase']}" if run.get("phase", "first") != "first" else ""
        pools = ", ".join(
            f"{_kind(pool['kind'])} ({pool['scenes']}, {pool['share']:g})"
            for pool in run["pools"].values()
        )
        psnr = ", ".join(
            f"{_kind(k)} {v:.2f} dB" for k, v in run["validation_psnr_by_kind"].items()
        )
        lines.append(
            f"| {part} ({run['architecture']}{phase}) | {run['parameters']} | {pools} | "
            f"{run['batch']} x {run['crop']} | {run['optimiser']['rate']:g} | {run['steps']} | "
            f"{run['seed']} | {run['wall_seconds']:.0f} s | {run['device']} | {psnr} |"
        )
    lines += [
        "",
        f"Adam, warm-up and cosine, mean of the weights, {_arithmetic(runs)}; losses and crops in "
        "`methods/learned/train/recipes.py`, hashes of the data and the curve in the record "
        f"`{name}.json`. {_circumstances(runs)} To train again:",
        "",
        "```bash",
        *(_command(name, part, run) for part, run in trained),
        "```",
        "",
        *again(name, record),
        "",
        "## Scores",
        "",
        f"Mean PSNR in dB over {scores['pairs']['region']} held-out pairs of each kind, 8-bit "
        "images, colour over all channels: the datasets `heldout-region` (Gaussian, sigma in "
        "[2, 10]), `heldout-lens`, `heldout-camera` and `heldout-depth` (one scene, the "
        f"motorcycle){_wide(scores)}. The oracle takes every pixel from the source closest to the "
        "reference.",
        "",
        "| method | " + " | ".join(f"{kind}, {c}" for kind, c in columns) + " |",
        "|---" * (1 + len(columns)) + "|",
    ]
    for method in (*methods, "lp", "gf", "sobel", "oracle"):
        cells = [f"{scores['psnr'][kind][colour][method]:.2f}" for kind, colour in columns]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    lines += ["", "## Limits", "", limits, ""]
    return "\n".join(lines)


def main() -> int:
    """Write all cards."""
    scores = json.loads(HELD_OUT.read_text())
    for name in ABOUT:
        record = json.loads((WEIGHTS / f"{name}.json").read_text())
        write_bytes(WEIGHTS / f"{name}.md", card(name, record, scores).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
