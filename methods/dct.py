"""Fusion by criteria of 8 x 8 blocks in the discrete cosine transform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lazy_loader as lazy
import numpy as np
from numpy.typing import NDArray

from methods import method
from methods._filters import levels

cv2 = lazy.load("cv2")
scipy = lazy.load("scipy")

Array = NDArray[Any]

BLOCK = 8
#: Low-pass of a block: centre, edges and corners.
LOW_PASS = np.array([[0.0751, 0.1238, 0.0751], [0.1238, 0.2042, 0.1238], [0.0751, 0.1238, 0.0751]])
LAPLACIAN = np.array([[-1.0, -4, -1], [-4, 20, -4], [-1, -4, -1]])
#: Blocks whose criterion is computed at a time.
AT_ONCE = 8192
#: Singular values whose product is a block's criterion.
SINGULAR_VALUES = 5

BY_ECE = (
    "Haghighat, Aghagolzadeh, Seyedarabi, Multi-focus image fusion for visual sensor networks in "
    "DCT domain, Computers & Electrical Engineering 37(5), 2011"
)
BY_JADM = (
    "Amin-Naji, Aghagolzadeh, Multi-focus image fusion in DCT domain using variance and energy "
    "of Laplacian and correlation coefficient for visual sensor networks, Journal of AI and Data "
    "Mining 6(2), 2018"
)
BY_MVIP = (
    "Amin-Naji, Ranjbar-Noiey, Aghagolzadeh, Multi-focus image fusion using singular value "
    "decomposition in DCT domain, 10th Iranian Conference on Machine Vision and Image Processing, "
    "2017"
)
DOI_JADM = "10.22044/jadm.2017.5169.1624"


@method(
    "dct-var",
    title="Variance of DCT blocks (DCT+Var+CV)",
    kind="decision",
    colour="channels",
    family="spatial",
    paper=BY_ECE,
    doi="10.1016/j.compeleceng.2011.04.016",
    aliases=("DCT_Var",),
)
def dct_var(sources: Array, *, consistent: bool = True) -> Array:
    """Copy blocks of 8 x 8 pixels from the source of the largest variance.

    The transform is orthonormal, so that the variance of a block is the same in both domains.
    Consistency: the map of blocks is smoothed twice by a mean over 7 x 7 blocks.

    Parameters
    ----------
    sources : ndarray
        float32 (N, H, W) in [0, 1].
    consistent : bool
        Whether the choices of blocks are made consistent with their neighbours'.

    Returns
    -------
    ndarray
        float32 (N, H, W), 1 for the source that is copied.

    Notes
    -----
    fidelity: no published image is known; the definition is the authors' code's. Ties go to the
    last source. Deviations: rows and columns after the last full block follow that block, where
    the code leaves them gray; of more than two sources the one with the most blocks around is
    taken.

    References
    ----------
    Haghighat, Aghagolzadeh, Seyedarabi 2011, https://doi.org/10.1016/j.compeleceng.2011.04.016

    Examples
    --------
    >>> import numpy as np
    >>> from methods.dct import dct_var
    >>> sharp = np.random.default_rng(0).random((32, 32), np.float32)
    >>> float(dct_var(np.stack([sharp, np.full_like(sharp, 0.5)]))[0].mean())
    1.0
    """
    return _fused_blocks(sources, _variance, consistent, window=7, rounds=2, last_of_ties=True)


@method(
    "dct-eol",
    title="Energy of Laplacian of DCT blocks (DCT+EOL+CV)",
    kind="decision",
    colour="channels",
    family="spatial",
    paper=BY_JADM,
    doi=DOI_JADM,
    aliases=("DCT_EOL",),
)
def dct_eol(sources: Array, *, consistent: bool = True) -> Array:
    """Copy blocks of 8 x 8 pixels from the source of the largest energy of Laplacian.

    Energy: the sum of the squared Laplacian of the block, which repeats its own border pixels.
    Consistency: the map of blocks is smoothed by a mean over 3 x 3 blocks.

    Parameters
    ----------
    sources : ndarray
        float32 (N, H, W) in [0, 1].
    consistent : bool
        Whether the choices of blocks are made consistent with their neighbours'.

    Returns
    -------
    ndarray
        float32 (N, H, W), 1 for the source that is copied.

    Notes
    -----
    fidelity: the authors' code; ties go to the first source. Published images were made channel
    by channel. Mean PSNR to four of MFI-WHU over full blocks, after the same JPEG (equal ones
    count as 99 dB): 73.2 dB (66 to 81); lossless ones were not at hand. Deviations: rows
    and columns after the last full block follow that block, where the code leaves them gray; of
    more than two sources the one with the most blocks around is taken.

    References
    ----------
    Amin-Naji, Aghagolzadeh 2018, https://doi.org/10.22044/jadm.2017.5169.1624

    Examples
    --------
    >>> import numpy as np
    >>> from methods.dct import dct_eol
    >>> sharp = np.random.default_rng(0).random((32, 32), np.float32)
    >>> float(dct_eol(np.stack([sharp, np.full_like(sharp, 0.5)]))[0].mean())
    1.0
    """
    return _fused_blocks(sources, _energy_of_laplacian, consistent)


@method(
    "dct-corr",
    title="Correlation of DCT blocks (DCT+Corr+CV)",
    kind="decision",
    colour="channels",
    family="spatial",
    paper=BY_JADM,
    doi=DOI_JADM,
    aliases=("DCT_Corr",),
)
def dct_corr(sources: Array, *, consistent: bool = True) -> Array:
    """Copy blocks of 8 x 8 pixels from the source of the largest loss by a low-pass.

    Loss: 1 minus the correlation of the DCT coefficients of the block and of its low-pass, which
    repeats the block's own border pixels. Consistency: the map of blocks is smoothed by a mean
    over 3 x 3 blocks.

    Parameters
    ----------
    sources : ndarray
        float32 (N, H, W) in [0, 1].
    consistent : bool
        Whether the choices of blocks are made consistent with their neighbours'.

    Returns
    -------
    ndarray
        float32 (N, H, W), 1 for the source that is copied.

    Notes
    -----
    fidelity: the authors' code; ties go to the first source. Published images were made channel
    by channel. Mean PSNR to four of MFI-WHU over full blocks, after the same JPEG (equal ones
    count as 99 dB): 95.6 dB, three equal; lossless ones were not at hand. Deviations: rows
    and columns after the last full block follow that block, where the code leaves them gray; of
    more than two sources the one with the most blocks around is taken.

    References
    ----------
    Amin-Naji, Aghagolzadeh 2018, https://doi.org/10.22044/jadm.2017.5169.1624

    Examples
    --------
    >>> import numpy as np
    >>> from methods.dct import dct_corr
    >>> sharp = np.random.default_rng(0).random((32, 32), np.float32)
    >>> float(dct_corr(np.stack([sharp, np.full_like(sharp, 0.5)]))[0].mean())
    1.0
    """
    return _fused_blocks(sources, _uncorrelation, consistent)


@method(
    "dct-svd",
    title="Singular values of DCT blocks (DCT+SVD+CV)",
    kind="decision",
    colour="channels",
    family="spatial",
    paper=BY_MVIP,
    doi="10.1109/IranianMVIP.2017.8342367",
    aliases=("SVDDCT", "DCT_SVD"),
)
def dct_svd(sources: Array, *, consistent: bool = True) -> Array:
    """Copy blocks of 8 x 8 pixels from the source of the largest product of singular values.

    The product takes the five largest ones of the block's DCT coefficients. Consistency:
    the map of blocks is smoothed by a mean over 3 x 3 blocks.

    Parameters
    ----------
    sources : ndarray
        float32 (N, H, W) in [0, 1].
    consistent : bool
        Whether the choices of blocks are made consistent with their neighbours'.

    Returns
    -------
    ndarray
        float32 (N, H, W), 1 for the source that is copied.

    Notes
    -----
    fidelity: the authors' code; ties go to the last source. Published images were made channel
    by channel. Mean PSNR to four of MFI-WHU over full blocks, after the same JPEG: 62.9 dB (55
    to 71), 99.5 % of the pixels equal; with singular values of the pixels, which only rounding
    tells apart, 55.5. The product of a block of rank below five is rounding noise, so there
    another processor may choose otherwise. Deviations: rows and columns after the last full
    block follow that block, where the code leaves them gray; of more than two sources the one
    with the most blocks around is taken.

    References
    ----------
    Amin-Naji, Ranjbar-Noiey, Aghagolzadeh 2017,
    https://doi.org/10.1109/IranianMVIP.2017.8342367

    Examples
    --------
    >>> import numpy as np
    >>> from methods.dct import dct_svd
    >>> sharp = np.random.default_rng(0).random((32, 32), np.float32)
    >>> float(dct_svd(np.stack([sharp, np.full_like(sharp, 0.5)]))[0].mean())
    1.0
    """
    return _fused_blocks(sources, _singular_values, consistent, last_of_ties=True, zero_last=True)


def _fused_blocks(
    sources: Array,
    criterion: Callable[[Array], Array],
    consistent: bool,
    *,
    window: int = 3,
    rounds: int = 1,
    last_of_ties: bool = False,
    zero_last: bool = False,
) -> Array:
    """Weights (N, H, W) of the source that a criterion of (n, 8, 8) blocks selects."""
    count, height, width = sources.shape
    scores = np.stack([_scores(source, criterion) for source in sources])
    labels = count - 1 - scores[::-1].argmax(axis=0) if last_of_ties else scores.argmax(axis=0)
    if consistent and count == 2:
        smooth = labels * 2.0 - 1
        for _ in range(rounds):
            smooth = _window_sum(smooth, window)
        labels = smooth >= 0 if zero_last else smooth > 0
    elif consistent:
        shares = np.stack([(labels == n).astype(np.float64) for n in range(count)])
        for _ in range(rounds):
            shares = np.stack([_window_sum(share, window) for share in shares])
        labels = shares.argmax(axis=0)
    rows = np.minimum(np.arange(height) // BLOCK, len(labels) - 1)
    columns = np.minimum(np.arange(width) // BLOCK, labels.shape[1] - 1)
    chosen = labels[rows[:, None], columns]
    return (chosen == np.arange(count)[:, None, None]).astype(np.float32)


def _window_sum(values: Array, side: int) -> Array:
    """Exact sums of whole numbers over a window; the border is mirrored."""
    return np.rint(
        cv2.boxFilter(values, -1, (side, side), normalize=False, borderType=cv2.BORDER_REFLECT)
    )


def _scores(source: Array, criterion: Callable[[Array], Array]) -> Array:
    """The criterion of every full block; an image smaller than a block is repeated to one."""
    plane = levels(source) - 128
    grow = [(0, max(0, BLOCK - length)) for length in plane.shape]
    plane = np.pad(plane, grow, mode="edge")
    down, across = (length // BLOCK for length in plane.shape)
    cut = plane[: down * BLOCK, : across * BLOCK]
    blocks = cut.reshape(down, BLOCK, across, BLOCK).swapaxes(1, 2).reshape(-1, BLOCK, BLOCK)
    parts = [criterion(blocks[k : k + AT_ONCE]) for k in range(0, len(blocks), AT_ONCE)]
    return np.concatenate(parts).reshape(down, across)


def _variance(blocks: Array) -> Array:
    return (blocks**2).mean(axis=(1, 2)) - blocks.mean(axis=(1, 2)) ** 2


def _energy_of_laplacian(blocks: Array) -> Array:
    return (_filtered(blocks, LAPLACIAN) ** 2).sum(axis=(1, 2))


def _uncorrelation(blocks: Array) -> Array:
    whole, low = (
        scipy.fft.dctn(b, axes=(1, 2), norm="ortho") for b in (blocks, _filtered(blocks, LOW_PASS))
    )
    whole -= whole.mean(axis=(1, 2), keepdims=True)
    low -= low.mean(axis=(1, 2), keepdims=True)
    norm = np.sqrt((whole**2).sum(axis=(1, 2)) * (low**2).sum(axis=(1, 2)))
    product = (whole * low).sum(axis=(1, 2))
    return np.where(norm > 0, 1 - product / np.where(norm > 0, norm, 1), 0)


def _singular_values(blocks: Array) -> Array:
    """Of the coefficients, as the method has it: rounding decides where a block has low rank."""
    coefficients = scipy.fft.dctn(blocks, axes=(1, 2), norm="ortho")
    return np.linalg.svd(coefficients, compute_uv=False)[:, :SINGULAR_VALUES].prod(axis=1)


def _filtered(blocks: Array, kernel: Array) -> Array:
    """Each block filtered by itself, with its border pixels repeated."""
    wide = np.pad(blocks, ((0, 0), (1, 1), (1, 1)), mode="edge")
    total = np.zeros_like(blocks)
    for dy in range(3):
        for dx in range(3):
            total += kernel[dy, dx] * wide[:, dy : dy + BLOCK, dx : dx + BLOCK]
    return total
