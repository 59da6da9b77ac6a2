"""focus-stack by P. Aimonen: complex wavelets."""

from __future__ import annotations

from methods.programs._register import program


@program(
    "focus-stack",
    title="focus-stack: largest complex wavelet coefficients, with its own alignment",
    paper="Forster, Van De Ville, Berent, Sage & Unser, Microsc. Res. Tech. 65, 2004, "
    "as focus-stack has it",
    doi="10.1002/jemt.20092",
    install="get it from https://github.com/PetteriAimonen/focus-stack/releases",
    licence="MIT",
)
def focus_stack(*, consistency: int = 2, denoise: float = 1.0) -> list[str]:
    """Take the largest coefficients of a complex wavelet transform, and colours of the sources.

    Parameters
    ----------
    consistency : int
        Level of the filter that makes neighbouring choices agree, 0 to 2.
    denoise : float
        Levels, of 255, by which all coefficients are reduced.

    Returns
    -------
    list of str
        The command line.

    Notes
    -----
    fidelity: the program itself, with its defaults for merging. It has no option that switches its
    alignment off: it registers the sources to the middle one, also where they are registered, so
    that its images are shifted by fractions of a pixel. Its correction of exposure and of white
    balance is off, and the whole image is kept.

    References
    ----------
    Forster, Van De Ville, Berent, Sage & Unser, Complex wavelets for extended depth-of-field: a new
    method for the fusion of multichannel microscopy images, Microscopy Research and Technique 65,
    2004, doi:10.1002/jemt.20092. focus-stack: https://github.com/PetteriAimonen/focus-stack

    Examples
    --------
    >>> from methods.programs.focus_stack import focus_stack
    >>> focus_stack()[0]
    'focus-stack'
    """
    return [
        "focus-stack",
        "--output={output}",
        "--nocrop",
        "--no-whitebalance",
        "--no-contrast",
        "--no-opencl",
        "--threads={threads}",
        f"--consistency={consistency}",
        f"--denoise={denoise}",
        "{sources}",
    ]
