"""Enfuse, of the panorama tools Hugin: exposure and focus fusion by pyramids."""

from __future__ import annotations

from methods.programs._register import program


@program(
    "enfuse",
    title="Enfuse: pyramid blending with hard masks from local contrast",
    paper="Mertens, Kautz & Van Reeth, Exposure Fusion, Pacific Graphics 2007, as Enfuse has it",
    doi="10.1109/PG.2007.17",
    install="apt-get install enfuse",
    licence="GPL-2.0-or-later",
    bits=16,
    least_side=8,
    output="fused.tif",
)
def enfuse(*, contrast_window_size: int = 5, hard_mask: bool = True) -> list[str]:
    """Weight every pixel by the local contrast of its source, and blend with pyramids.

    Parameters
    ----------
    contrast_window_size : int
        Side of the window in which contrast is measured, in pixels.
    hard_mask : bool
        Whether every pixel comes from one source; else weights are blended, which blurs.

    Returns
    -------
    list of str
        The command line.

    Notes
    -----
    fidelity: the program itself, with the options that its manual advises for focus stacks: only
    contrast counts, and masks are hard. It does not align; that is the work of another program. To
    8 or 16 bits it rounds at random, so that no two runs agree to the last level; so it writes
    floating-point values here, which are rounded as those of all other methods.

    References
    ----------
    Mertens, Kautz & Van Reeth, Exposure Fusion, Pacific Graphics 2007, doi:10.1109/PG.2007.17.
    Enfuse: https://enblend.sourceforge.net

    Examples
    --------
    >>> from methods.programs.enfuse import enfuse
    >>> enfuse(hard_mask=False)[-2:]
    ['--output={output}', '{sources}']
    """
    return [
        "enfuse",
        "--exposure-weight=0",
        "--saturation-weight=0",
        "--contrast-weight=1",
        f"--contrast-window-size={contrast_window_size}",
        "--hard-mask" if hard_mask else "--soft-mask",
        "--depth=r32",
        "--output={output}",
        "{sources}",
    ]
