"""FocusWeave: a Laplacian pyramid with soft weights."""

from __future__ import annotations

from methods.programs._register import program


@program(
    "focusweave",
    title="FocusWeave: Laplacian pyramid with weights that are a power of sharpness",
    paper="van Weel, FocusWeave, a program, 2026",
    install="pip install focusweave",
    licence="MIT",
    bits=16,
    environment={"PYTHONPATH": None},
)
def focusweave(*, sharpness: float = 4.0) -> list[str]:
    """Blend Laplacian pyramids, weighted by a power of the local sharpness.

    Parameters
    ----------
    sharpness : float
        The power: 1 blends softly, 8 nearly selects.

    Returns
    -------
    list of str
        The command line.

    Notes
    -----
    fidelity: the program itself, with its defaults for stacking. Its alignment is off.

    References
    ----------
    None published; the program is the package of that name (`pip install focusweave`).

    Examples
    --------
    >>> from methods.programs.focusweave import focusweave
    >>> focusweave()[1]
    '{folder}'
    """
    return [
        "focusweave",
        "{folder}",
        "--output",
        "{output}",
        "--no-align",
        "--keep-size",
        "--sharpness",
        str(sharpness),
        "--workers",
        "{threads}",
    ]
