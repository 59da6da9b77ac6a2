"""Sparse coding of image patches, and fusion that takes each patch from the most active source.

Orthogonal matching pursuit (OMP) is run on many patches at a time: the correlations with all atoms
are one matrix product, and each patch keeps an orthonormal basis of its picked atoms.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bench.core.errors import UsageError
from datasets.catalog import CataloguedFile
from methods._files import path_of

Array = NDArray[Any]

#: Side of a patch in pixels.
SIDE = 8
#: Published dictionary: 256 atoms of zero mean and unit norm, learned from 100,000 patches.
DICTIONARY = CataloguedFile(
    "weights",
    "yuliu316316+MST-SR-Fusion-Toolbox/sparsefusion/Dictionary/D_100000_256_8.mat",
)
#: Patches of all sources that are in memory at a time, and patches that are coded at a time: their
#: bases, 32 kB each, fit into a core's cache.
IN_MEMORY, TOGETHER = 16384, 48
#: Squared norm beside the picked atoms below which an atom depends on them.
DEPENDENT = 1e-14
#: Bound on the error of a correlation in float32, for a residual of norm 1.
ROUNDING = 4e-6


@lru_cache(maxsize=1)
def dictionary() -> Array:
    """The published dictionary, float64 (64, 256); rows run along the rows of a patch.

    Raises
    ------
    Skipped
        The file is not on disk and cannot be downloaded.
    EnvironmentFault
        The file in ``MFIF_DATA`` differs from the catalogue.
    """
    from scipy.io import loadmat

    atoms = loadmat(path_of(DICTIONARY))["D"].astype(np.float64)
    down_columns = atoms.reshape(SIDE, SIDE, -1)
    return np.ascontiguousarray(down_columns.transpose(1, 0, 2).reshape(atoms.shape))


def fuse_patches(sources: Array, atoms: Array, step: int, tolerance: float) -> Array:
    """Take each patch from the source whose sparse code has the largest sum of magnitudes.

    Patches overlap; a pixel is the mean over the patches that cover it, and the mean of the sources
    where none does. A patch of the result is its mean plus its code's approximation. Of equal
    activities the first source's patch is taken.

    Parameters
    ----------
    sources : ndarray
        float64 (N, H, W), on the scale 0..255.
    atoms : ndarray
        float64 (64, K): columns of zero mean and unit norm; see `dictionary`.
    step : int
        Distance between patches in pixels, 1 to 8.
    tolerance : float
        Norm of the residual at which a code is complete, positive.

    Returns
    -------
    ndarray
        float64 (H, W).

    Raises
    ------
    UsageError
        `step` or `tolerance` is out of its range.
    """
    if not 1 <= step <= SIDE:
        raise UsageError(f"step must be 1 to {SIDE}, got {step}")
    if not tolerance > 0:
        raise UsageError(f"tolerance must be positive, got {tolerance}")
    shape = sources.shape[1:]
    total, covered = np.zeros(shape), np.zeros(shape)
    if min(shape) >= SIDE:
        windows = sliding_window_view(sources, (SIDE, SIDE), axis=(1, 2))[:, ::step, ::step]
        rows = max(1, IN_MEMORY // (len(sources) * windows.shape[2]))
        for top in range(0, windows.shape[1], rows):
            patches = _most_active(windows[:, top : top + rows], atoms, tolerance)
            _add(total[top * step :], covered[top * step :], patches, step)
    return np.where(covered > 0, total / np.maximum(covered, 1), sources.mean(axis=0))


def _most_active(windows: Array, atoms: Array, tolerance: float) -> Array:
    """The chosen patches (rows, columns, 8, 8) of windows (N, rows, columns, 8, 8)."""
    patches = windows.reshape(len(windows), -1, SIDE * SIDE)
    means = patches.mean(axis=2, keepdims=True)
    activity, residuals = sparse_codes((patches - means).reshape(-1, SIDE**2), atoms, tolerance)
    first = activity.reshape(len(windows), -1).argmax(axis=0)
    place = np.arange(patches.shape[1])
    chosen = patches[first, place] - residuals.reshape(patches.shape)[first, place]
    return chosen.reshape(windows.shape[1:])


def _add(total: Array, covered: Array, patches: Array, step: int) -> None:
    """Add patches to the image, and one to the number of patches at the pixels they cover."""
    height, width = (step * (count - 1) + 1 for count in patches.shape[:2])
    for y, x in np.ndindex(SIDE, SIDE):
        place = slice(y, y + height, step), slice(x, x + width, step)
        total[place] += patches[:, :, y, x]
        covered[place] += 1


def sparse_codes(patches: Array, atoms: Array, tolerance: float) -> tuple[Array, Array]:
    """Code patches by orthogonal matching pursuit.

    The atom of the largest correlation with the residual is picked, and all picked atoms are
    fitted again by least squares, until the residual is small, no atom that is independent of the
    picked ones is left, or there are as many atoms as pixels.

    Parameters
    ----------
    patches : ndarray
        float64 (P, D), on the scale of `tolerance`.
    atoms : ndarray
        float64 (D, K), columns of unit norm.
    tolerance : float
        Norm of the residual at which a code is complete.

    Returns
    -------
    activity : ndarray
        float64 (P,): sums of the magnitudes of the codes.
    residuals : ndarray
        float64 (P, D): what the codes leave of the patches.

    Examples
    --------
    >>> import numpy as np
    >>> from methods._sparse import sparse_codes
    >>> atoms = np.array([[1, 0, 0.6], [0, 1, 0.8]])
    >>> activity, residuals = sparse_codes(np.array([[3.0, 4.0], [0.0, 2.0]]), atoms, 0.1)
    >>> activity.round(6), np.abs(residuals).max() < 1e-12
    (array([5., 2.]), np.True_)
    """
    activity, residuals = np.zeros(len(patches)), np.array(patches, np.float64)
    squares = np.vecdot(residuals, residuals)
    # Patches of about one norm need about as many atoms, so that few wait for the others.
    order = np.argsort(squares, kind="stable")[np.count_nonzero(squares <= tolerance**2) :]
    size = patches.shape[1]
    memory = np.empty((2, TOGETHER, size, size))
    for start in range(0, len(order), TOGETHER):
        some = order[start : start + TOGETHER]
        activity[some], residuals[some] = _pursue(residuals[some], atoms, tolerance, memory)
    return activity, residuals


def _pursue(residual: Array, atoms: Array, tolerance: float, memory: Array) -> tuple[Array, Array]:
    """`sparse_codes` of a few patches, in memory for two matrices of each.

    With the orthonormal basis Q of the picked atoms A = QR, a code x solves R x = Q'v.
    """
    count, size = residual.shape
    basis, triangle = memory[:, :count]
    along, lengths = np.zeros((count, size)), np.zeros((count, size))
    picker = _Picker(atoms, count)
    square = np.vecdot(residual, residual)
    active = square > tolerance**2
    for k in range(size):
        atom = picker.pick(residual, square)
        if k:
            inner = np.matmul(basis[:, :k], atom[:, :, None], out=triangle[:, k, :k, None])
            atom -= np.matmul(inner.transpose(0, 2, 1), basis[:, :k])[:, 0]
        beside = np.vecdot(atom, atom)
        active &= beside > DEPENDENT
        lengths[:, k] = np.sqrt(np.where(active, beside, 1))
        atom /= lengths[:, k, None]
        basis[:, k] = atom
        along[:, k] = np.vecdot(atom, residual) * active
        atom *= along[:, k, None]
        residual -= atom
        square = np.maximum(square - along[:, k] ** 2, 0)
        active &= square > tolerance**2
        if not active.any():
            break
    for j in range(k, -1, -1):
        along[:, j] /= lengths[:, j]
        along[:, :j] -= along[:, j, None] * triangle[:, j, :j]
    return np.abs(along).sum(axis=1), residual


class _Picker:
    """The atom of the largest correlation with each residual, the first of equal ones.

    Correlations are computed in float32, and those that float32 cannot tell apart again in
    float64: the atoms are the same ones as in float64 alone, in half the time.
    """

    def __init__(self, atoms: Array, count: int) -> None:
        self.atoms, self.single = atoms, atoms.astype(np.float32)
        self.rows = np.ascontiguousarray(atoms.T)
        self.correlation = np.empty((count, atoms.shape[1]), np.float32)
        self.place = np.arange(count)

    def pick(self, residual: Array, square: Array) -> Array:
        """Atoms float64 (P, D) for residuals (P, D), whose squared norms are given."""
        single = residual.astype(np.float32)
        correlation = np.matmul(single, self.single, out=self.correlation)
        np.abs(correlation, out=correlation)
        first = correlation.argmax(axis=1)
        bounds = correlation[self.place, first] - np.sqrt(square) * 2 * ROUNDING
        near = correlation >= bounds.astype(np.float32)[:, None]
        if np.count_nonzero(near) > len(first):
            several = np.count_nonzero(near, axis=1) > 1
            exact = np.abs(residual[several] @ self.atoms)
            exact[~near[several]] = -1
            first[several] = exact.argmax(axis=1)
        return self.rows[first]
