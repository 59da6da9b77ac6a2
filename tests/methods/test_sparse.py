"""Orthogonal matching pursuit against a plain loop, and the methods that need the dictionary."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from bench.core.errors import Skipped, UsageError
from bench.engine.selection import ConfiguredMethod, select_methods
from datasets.catalog import CataloguedFile
from methods import METHODS, _sparse, fuse
from methods._sparse import fuse_patches, sparse_codes
from tests.support.weights import need_weights

NAMES = [m.name for m in METHODS if m.family == "sparse"]


def random_atoms(count=256, size=64, seed=0):
    """Columns of zero mean and unit norm."""
    atoms = np.random.default_rng(seed).standard_normal((size, count))
    atoms -= atoms.mean(axis=0)
    return atoms / np.linalg.norm(atoms, axis=0)


def patches_of(image, count, seed=0):
    """Patches (count, 64) of an image at random places, without their means."""
    rng = np.random.default_rng(seed)
    places = zip(*(rng.integers(0, side - 8, count) for side in image.shape), strict=True)
    patches = np.array([image[y : y + 8, x : x + 8].ravel() for y, x in places], float)
    return patches - patches.mean(axis=1, keepdims=True)


def plain(patch, atoms, tolerance):
    """One patch, one atom at a time, with a least-squares solution for each set of atoms."""
    picked, residual, code = [], patch, np.zeros(0)
    while np.linalg.norm(residual) > tolerance and len(picked) < len(patch):
        correlation = np.abs(atoms.T @ residual)
        atom = int(correlation.argmax())
        if atom in picked or correlation[atom] ** 2 < 1e-14:
            break
        picked.append(atom)
        code = np.linalg.lstsq(atoms[:, picked], patch, rcond=None)[0]
        residual = patch - atoms[:, picked] @ code
    return np.abs(code).sum(), residual


@pytest.mark.parametrize("tolerance", [0.1, 5, 200])
def test_pursuit_is_that_of_a_plain_loop(tolerance):
    atoms = random_atoms()
    patches = np.vstack([patches_of(data.camera(), 70), np.zeros((2, 64)), 1e-3 * atoms[:, :3].T])
    activity, residuals = sparse_codes(patches, atoms, tolerance)
    for patch, ours, left in zip(patches, activity, residuals, strict=True):
        theirs, residual = plain(patch, atoms, tolerance)
        assert ours == pytest.approx(theirs, rel=1e-8)
        np.testing.assert_allclose(left, residual, atol=1e-8)
        assert np.linalg.norm(left) <= tolerance


def test_correlations_that_float32_cannot_tell_apart():
    """The second atom is better by 1e-9, which a single-precision product does not see."""
    first = np.zeros(64)
    first[:2] = 1, -1
    first /= np.sqrt(2)
    aside = np.zeros(64)
    aside[2:4] = 1, -1
    near = first + 3e-5 * aside
    atoms = np.stack([near / np.linalg.norm(near), first], axis=1)
    activity, residuals = sparse_codes(10 * first[None], atoms, 1e-3)
    assert activity[0] == pytest.approx(10, abs=1e-12)
    assert np.abs(residuals).max() < 1e-12


def test_pursuit_ends_where_no_independent_atom_is_left():
    atoms = random_atoms(5)
    atoms = np.hstack([atoms, atoms, -atoms])
    patches = patches_of(data.camera(), 50)
    activity, residuals = sparse_codes(patches, atoms, 0.1)
    codes = np.linalg.lstsq(atoms[:, :5], patches.T, rcond=None)[0]
    np.testing.assert_allclose(activity, np.abs(codes).sum(axis=0))
    np.testing.assert_allclose(residuals, patches - (atoms[:, :5] @ codes).T, atol=1e-9)


@pytest.fixture
def pair():
    """Two images float64 (2, 37, 43)."""
    sharp = data.camera()[100:137, 200:243].astype(float)
    soft = (sharp + np.roll(sharp, 1, 0) + np.roll(sharp, 1, 1)) / 3
    return np.stack([sharp, soft])


@pytest.mark.parametrize("step", [1, 2, 5, 8])
def test_patches_come_from_the_more_active_source(pair, step):
    """Against a loop over the patches; pixels that no patch covers are the sources' mean."""
    atoms = random_atoms()
    total, covered = np.zeros(pair.shape[1:]), np.zeros(pair.shape[1:])
    for y in range(0, pair.shape[1] - 7, step):
        for x in range(0, pair.shape[2] - 7, step):
            place = slice(y, y + 8), slice(x, x + 8)
            patches = pair[:, *place].reshape(2, 64)
            activity, residuals = sparse_codes(
                patches - patches.mean(axis=1, keepdims=True), atoms, 0.1
            )
            first = int(activity.argmax())
            total[place] += (patches[first] - residuals[first]).reshape(8, 8)
            covered[place] += 1
    wanted = np.where(covered > 0, total / np.maximum(covered, 1), pair.mean(axis=0))
    np.testing.assert_allclose(fuse_patches(pair, atoms, step, 0.1), wanted, atol=1e-9)


def test_what_is_in_memory_at_a_time_does_not_matter(pair, monkeypatch):
    atoms = random_atoms()
    whole = fuse_patches(pair, atoms, 2, 0.1)
    monkeypatch.setattr(_sparse, "IN_MEMORY", 1)
    monkeypatch.setattr(_sparse, "TOGETHER", 7)
    np.testing.assert_allclose(fuse_patches(pair, atoms, 2, 0.1), whole, atol=1e-9)


def test_the_first_of_equal_sources_is_taken(pair):
    atoms = random_atoms()
    alone = fuse_patches(pair[:1], atoms, 2, 0.1)
    np.testing.assert_array_equal(fuse_patches(pair[[0, 0, 0]], atoms, 2, 0.1), alone)
    assert np.abs(alone - pair[0]).max() <= 0.1


@pytest.mark.parametrize(("step", "tolerance"), [(0, 0.1), (9, 0.1), (2, 0.0), (2, float("nan"))])
def test_settings_out_of_range_are_refused(pair, step, tolerance):
    with pytest.raises(UsageError, match=r"step must be 1 to 8|tolerance must be positive"):
        fuse_patches(pair, random_atoms(), step, tolerance)


def test_they_are_a_family_and_not_in_all():
    assert {"sr", "lp-sr", "rp-sr", "nsct-sr"} == set(NAMES)
    assert [m.name for m in select_methods("sparse")] == NAMES
    assert not {m.name for m in select_methods("all")} & set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_without_the_dictionary_one_command_is_named(name, offline, sources):
    _sparse.dictionary.cache_clear()
    (file,) = METHODS[name].weights
    assert isinstance(file, CataloguedFile)
    assert "research" in file.entry.licence
    assert ConfiguredMethod(METHODS[name]).identity["weights"]
    with pytest.raises(Skipped, match=r"python -m bench data fetch weights --only '.*mat'"):
        fuse(name, sources)


def test_the_dictionary_has_atoms_of_zero_mean_and_unit_norm():
    need_weights("sr")
    _sparse.dictionary.cache_clear()
    atoms = _sparse.dictionary()
    assert atoms.shape == (64, 256)
    np.testing.assert_allclose(atoms.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(atoms, axis=0), 1)
