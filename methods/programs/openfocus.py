"""OpenFocus: the networks StackMFF, and classical methods as this program has them."""

from __future__ import annotations

import functools

from methods.programs._register import program

#: What all rows of the program share. It prints no version, so its package is asked; it pins old
#: libraries, so that it needs a virtual environment of its own, which sees no module of ours.
_openfocus = functools.partial(
    program,
    install="pip install openfocus, in a virtual environment of its own",
    licence="MIT",
    version=(
        "{interpreter}",
        "-c",
        "import importlib.metadata as m; print('openfocus', m.version('openfocus'))",
    ),
    bits=16,
    environment={"PYTHONPATH": None, "PYTHONHOME": None},
)


def _command(method: str, *options: str) -> list[str]:
    """The command line for one of the program's methods; nothing is aligned or matched."""
    return [
        "openfocus",
        "--input",
        "{folder}",
        "--output",
        "{output}",
        "--method",
        method,
        "--align",
        "none",
        "--no-exposure-match",
        "--cpu",
        "--threads",
        "{threads}",
        *options,
    ]


@_openfocus(
    "openfocus",
    title="StackMFF v3: a network that classifies each pixel's source, by OpenFocus",
    paper="Xie et al., StackMFF v3, 2025, as OpenFocus has it",
    aliases=("stackmff-v3", "stackmff"),
)
def openfocus(*, hard: bool = False) -> list[str]:
    """Blend the sources of a stack by their predicted probabilities (StackMFF v3).

    Parameters
    ----------
    hard : bool
        Whether every pixel comes from its most probable source.

    Returns
    -------
    list of str
        The command line.

    Notes
    -----
    fidelity: the program of the network's authors with their weights, which its package holds. Its
    alignment and its matching of exposures are off. It computes on the processor, in float32.

    References
    ----------
    Xie et al., StackMFF v3 (under review): https://github.com/Xinzhe99/StackMFF-V3.
    OpenFocus: https://github.com/Xinzhe99/OpenFocus

    Examples
    --------
    >>> from methods.programs.openfocus import openfocus
    >>> openfocus(hard=True)[-2:]
    ['--ai-mode', 'hard']
    """
    return _command("stackmffv3", "--ai-mode", "hard" if hard else "soft")


@_openfocus(
    "openfocus-v2",
    title="StackMFF v2: a network that regresses each pixel's depth, by OpenFocus",
    paper="Xie, Guo, He, Gu, Li & Li, Eng. Appl. Artif. Intell. 162, 2025, 112667, "
    "as OpenFocus has it",
    doi="10.1016/j.engappai.2025.112667",
    aliases=("stackmff-v2",),
)
def openfocus_v2() -> list[str]:
    """Take every pixel from the source whose depth a network predicts (StackMFF v2).

    Returns
    -------
    list of str
        The command line.

    Notes
    -----
    fidelity: as of `openfocus`.

    References
    ----------
    Xie, Guo, He, Gu, Li & Li, One-shot multi-focus image stack fusion via focal depth regression,
    Engineering Applications of Artificial Intelligence 162, 2025, 112667,
    doi:10.1016/j.engappai.2025.112667. OpenFocus: https://github.com/Xinzhe99/OpenFocus

    Examples
    --------
    >>> from methods.programs.openfocus import openfocus_v2
    >>> openfocus_v2()[6]
    'stackmffv2'
    """
    return _command("stackmffv2")


@_openfocus(
    "openfocus-gf",
    title="Guided filtering of decision maps, by OpenFocus",
    paper="Li, Kang & Hu, IEEE TIP 22(7), 2013, as OpenFocus has it",
    doi="10.1109/TIP.2013.2244222",
)
def openfocus_gf(*, kernel: int = 0) -> list[str]:
    """Filter weight maps with the guided filter, as OpenFocus implements it.

    Parameters
    ----------
    kernel : int
        Side of the program's window in pixels; 0: its own default.

    Returns
    -------
    list of str
        The command line.

    Notes
    -----
    fidelity: the program's own variant; `gf` is the one of the paper, held to published images.

    References
    ----------
    Li, Kang & Hu, Image fusion with guided filtering, IEEE Transactions on Image Processing 22(7),
    2013, doi:10.1109/TIP.2013.2244222. OpenFocus: https://github.com/Xinzhe99/OpenFocus

    Examples
    --------
    >>> from methods.programs.openfocus import openfocus_gf
    >>> openfocus_gf(kernel=31)[-2:]
    ['--kernel', '31']
    """
    return _command("guided_filter", *(["--kernel", str(kernel)] if kernel else []))


@_openfocus(
    "openfocus-dtcwt",
    title="Dual-tree complex wavelets, by OpenFocus",
    paper="Lewis, O'Callaghan, Nikolov, Bull & Canagarajah, Inf. Fusion 8(2), 2007, "
    "as OpenFocus has it",
    doi="10.1016/j.inffus.2005.09.006",
)
def openfocus_dtcwt() -> list[str]:
    """Take the largest dual-tree complex wavelet coefficients, as OpenFocus implements it.

    Returns
    -------
    list of str
        The command line.

    Notes
    -----
    fidelity: the program's own variant; `dtcwt` is the one that is held to published images.

    References
    ----------
    Lewis, O'Callaghan, Nikolov, Bull & Canagarajah, Pixel- and region-based image fusion with
    complex wavelets, Information Fusion 8(2), 2007, doi:10.1016/j.inffus.2005.09.006.
    OpenFocus: https://github.com/Xinzhe99/OpenFocus

    Examples
    --------
    >>> from methods.programs.openfocus import openfocus_dtcwt
    >>> openfocus_dtcwt()[6]
    'dtcwt'
    """
    return _command("dtcwt")
