"""Every registered perturbation, and what the suffix makes of scenes."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import replace

import numpy as np
import pytest

from bench.core.errors import ContractViolation, UnknownName, UsageError
from datasets import DATASETS, Scene, SceneImages, load_scenes
from datasets.grids import GRIDS
from datasets.known_scenes import known_as
from datasets.notes import scene_notes
from datasets.perturbations import (
    PERTURBATIONS,
    STAGES,
    Perturbed,
    parse_suffix,
    perturbation,
    perturbed_scene,
    split_dataset,
    suffix_of,
    unchanged,
)
from datasets.subsets import caption_of

NAMES = PERTURBATIONS.names()

#: Amounts of each, the mildest first; a perturbation that the project gains needs a line.
AMOUNTS = {
    "bits": (6, 4, 2),
    "blur": (0.5, 1, 2),
    "exposure": (0.1, 0.3, 1),
    "jpeg": (90, 75, 50),
    "noise": (5, 10, 20),
    "rotation": (0.2, 0.5, 1),
    "scale": (1.002, 1.005, 1.01),
    "shift": (0.5, 1, 2),
    "vignetting": (0.1, 0.3, 0.8),
}


def photo(kind: str, rows: int = 60, columns: int = 72) -> np.ndarray:
    """A textured picture: gray or colour, of the given type."""
    rng = np.random.default_rng(7)
    shape = (rows, columns, 3) if "rgb" in kind else (rows, columns)
    y, x = np.mgrid[:rows, :columns] / 9
    waves = 0.5 + 0.3 * np.sin(x) * np.cos(y)
    image = np.clip(waves + rng.normal(0, 0.05, waves.shape), 0, 1)
    if len(shape) == 3:
        image = image[..., None] * [1, 0.8, 0.6]
    if "float" in kind:
        return image.astype(np.float32)
    dtype = np.uint16 if "uint16" in kind else np.uint8
    return np.round(image * np.iinfo(dtype).max).astype(dtype)


def scene_of(kind: str = "uint8", count: int = 2) -> Scene:
    images = SceneImages(tuple(photo(kind) for _ in range(count)), reference=photo(kind))
    return Scene("own", "one", lambda: images, "synthetic", bits=16)


def perturbed(scene: Scene, suffix: str) -> SceneImages:
    return perturbed_scene(scene, parse_suffix(suffix)).read_checked()


def psnr(image: np.ndarray, clean: np.ndarray) -> float:
    top = 1.0 if image.dtype.kind == "f" else float(np.iinfo(image.dtype).max)
    error = np.mean((image.astype(float) - clean.astype(float)) ** 2) / top**2
    return float(-10 * np.log10(error)) if error else np.inf


def test_amounts_are_given_for_all():
    assert sorted(AMOUNTS) == NAMES


@pytest.mark.parametrize("kind", ["uint8", "uint8 rgb", "uint16", "float rgb"])
@pytest.mark.parametrize("name", NAMES)
def test_only_sources_are_perturbed_and_keep_their_form(name, kind):
    scene, entry = scene_of(kind, 3), PERTURBATIONS[name]
    clean, images = scene.images, perturbed(scene, f"+{name}={AMOUNTS[name][-1]}")
    assert np.array_equal(images.reference, clean.reference)
    assert [(s.shape, s.dtype) for s in images.sources] == [
        (s.shape, s.dtype) for s in clean.sources
    ]
    pairs = zip(images.sources, clean.sources, strict=True)
    changed = [not np.array_equal(one, other) for one, other in pairs]
    assert changed == [entry.first, True, True]


@pytest.mark.parametrize("kind", ["uint8", "uint8 rgb", "uint16", "float rgb"])
@pytest.mark.parametrize("name", NAMES)
def test_no_severity_changes_nothing(name, kind):
    entry, scene = PERTURBATIONS[name], scene_of(kind)
    images = perturbed(scene, f"+{name}={entry.identity:g}")
    assert entry.severity(entry.identity) == 0
    for image, clean in zip(images.sources, scene.images.sources, strict=True):
        if entry.exact and not (name == "bits" and "float" in kind):
            assert np.array_equal(image, clean)
        else:
            assert psnr(image, clean) > 35


@pytest.mark.parametrize("name", NAMES)
def test_more_is_worse(name):
    """PSNR of the last source falls with the severity."""
    scene = scene_of()
    levels = [
        psnr(perturbed(scene, f"+{name}={amount}").sources[-1], scene.images.sources[-1])
        for amount in AMOUNTS[name]
    ]
    assert levels == sorted(levels, reverse=True)
    assert len(set(levels)) == len(levels)
    severities = [PERTURBATIONS[name].severity(amount) for amount in AMOUNTS[name]]
    assert severities == sorted(severities)
    assert 8 < levels[-1] < levels[0] < 60


@pytest.mark.parametrize("name", NAMES)
def test_the_same_every_time_and_in_another_process(name):
    scene = perturbed_scene(scene_of(), parse_suffix(f"+{name}={AMOUNTS[name][1]}"))
    again = pickle.loads(pickle.dumps(scene.changes))
    first, second = scene.read_checked(), replace(scene, changes=again).read_checked()
    assert first.fingerprint() == second.fingerprint()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_allowed_is_refused(name):
    entry = PERTURBATIONS[name]
    for text in ("", "x", "nan", "inf", f"{entry.high + 1}", f"{entry.low - 1}"):
        with pytest.raises(UsageError, match=rf"\+{name}={text}: {name} needs a .*number from"):
            parse_suffix(f"+{name}={text}")
    if entry.default is None:
        with pytest.raises(UsageError, match=rf"\+{name}: {name} needs"):
            parse_suffix(f"+{name}")
    if entry.whole:
        with pytest.raises(UsageError, match="needs a whole number"):
            parse_suffix(f"+{name}={entry.low + 0.5}")


def test_random_numbers_depend_on_scene_and_source_not_on_amount_or_order():
    scene = scene_of(count=3)
    five, ten = (perturbed(scene, f"+noise={sigma}").sources for sigma in (5, 10))
    clean = scene.images.sources[0].astype(float)  # all three are equal
    noise = [image - clean for image in ten]
    assert abs(np.corrcoef(noise[0].ravel(), noise[1].ravel())[0, 1]) < 0.1
    half = five[0] - clean
    assert np.corrcoef(noise[0].ravel(), half.ravel())[0, 1] > 0.98
    other = perturbed(replace(scene, id="two"), "+noise=10").sources
    assert not np.array_equal(other[0], ten[0])
    assert np.array_equal(perturbed(scene, "+noise=10").sources[0], ten[0])


def test_the_random_numbers_are_those_of_every_python():
    """Seeds come from SHA-256 and PCG64, which are the same everywhere."""
    flat = np.full((8, 8), 128, np.uint8)
    scene = Scene("own", "one", lambda: SceneImages((flat, flat)), "synthetic")
    noisy = perturbed(scene, "+noise=20").sources
    assert noisy[0][0, :4].tolist() == [120, 73, 137, 87]
    digest = hashlib.sha256(noisy[0].tobytes() + noisy[1].tobytes()).hexdigest()
    assert digest[:16] == "3eea4ac4d37d7ee0"


def test_noise_is_measured_in_8_bit_levels():
    flat = np.full((256, 256), 128, np.uint8)
    for dtype, factor in ((np.uint8, 1), (np.uint16, 257)):
        image = flat.astype(dtype) * dtype(factor)
        images = SceneImages((image, image))
        scene = Scene("own", "n", lambda images=images: images, "synthetic", bits=16)
        spread = perturbed(scene, "+noise=10").sources[0].std() / factor
        assert spread == pytest.approx(10, rel=0.02)


def test_a_motion_moves_the_points_where_it_says():
    """A dot lies where `Perturbed.motion` puts it; the first source stays."""
    at = complex(60 - 40, 20 - 30)
    y, x = np.mgrid[-30:31, -40:41]
    dots = np.exp(-((x - at.real) ** 2 + (y - at.imag) ** 2) / 8).astype(np.float32)
    scene = Scene("own", "dots", lambda: SceneImages((dots, dots, dots)), "synthetic")
    for suffix in ("+shift=3", "+scale=1.05", "+rotation=4", "+shift=2+rotation=3+scale=0.95"):
        change = Perturbed("own/dots", parse_suffix(suffix))
        images = change.apply(scene.images)
        assert np.array_equal(images.sources[0], dots)
        for k in (1, 2):
            moved = images.sources[k].astype(float)
            lies = complex(np.sum(x * moved), np.sum(y * moved)) / moved.sum()
            wanted = at + change.motion(k, 3).at(np.array([at]))[0]
            assert abs(lies - wanted) < 0.02, suffix


def test_scale_grows_from_source_to_source():
    steps = parse_suffix("+scale=1.06")
    factors = [Perturbed("own/one", steps).motion(k, 4).factor.real for k in range(4)]
    assert factors == pytest.approx([1, 1.02, 1.04, 1.06])


def test_one_stop_doubles_the_light():
    flat = np.full((8, 8), 0.2, np.float32)
    scene = Scene("own", "f", lambda: SceneImages((flat, flat)), "synthetic")
    brighter, back = (perturbed(scene, f"+exposure={stops}").sources[1][0, 0] for stops in (1, -1))
    linear = [((value + 0.055) / 1.055) ** 2.4 for value in (back, 0.2, brighter)]
    assert linear[1] / linear[0] == pytest.approx(2, rel=1e-4)
    assert linear[2] / linear[1] == pytest.approx(2, rel=1e-4)


def test_they_act_in_the_order_of_a_camera_however_they_are_written():
    one, other = "+noise=5+shift=1.0+jpeg=75", "+JPEG=75+shift=1+noise=5"
    assert parse_suffix(one) == parse_suffix(other)
    assert suffix_of(parse_suffix(one)) == "+shift=1+noise=5+jpeg=75"
    assert [PERTURBATIONS[name].stage in STAGES for name in NAMES] == [True] * len(NAMES)


def test_a_perturbation_without_effect_is_told():
    images = perturbed(scene_of(), "+bits=12")
    assert images.notes == ("+bits=12 leaves the images as they are",)
    assert perturbed(scene_of(), "+noise=0").notes == ()
    assert perturbed(scene_of("uint16"), "+bits=12").notes == ()


def test_notes_on_the_pixels_name_what_was_done():
    clean = load_scenes("synthetic-lens/coins")[0]
    (note,) = scene_notes(perturbed(clean, "+exposure=1"))
    assert note.startswith("source 2 is ")
    (note,) = scene_notes(perturbed(clean, "+shift=3"))
    assert "shifted by" in note


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("synthetic-lens/coins+noise=5", ["synthetic-lens+noise=5/coins"]),
        ("Synthetic-Lens+NOISE=5.0/Coins", ["synthetic-lens+noise=5/coins"]),
        ("synthetic-lens+noise=5/coins+shift=1", ["synthetic-lens+shift=1+noise=5/coins"]),
        ("synthetic-lens+vignetting/coins", ["synthetic-lens+vignetting=0.3/coins"]),
        ("synthetic-lens/coins+exposure=-0.1", ["synthetic-lens+exposure=-0.1/coins"]),
        ("lytro+noise=5/c_01,c_02", ["liu2020+noise=5/c_01", "liu2020+noise=5/c_02"]),
        ("lytro/c_01..c_02+blur=1,c_03",
         ["liu2020+blur=1/c_01", "liu2020+blur=1/c_02", "liu2020/c_03"]),
        ("paper,paper+bits=4/c*,-paper+bits=4/cl*,-paper/c*",
         ["paper/pepsi", "paper+bits=4/camera", "paper+bits=4/color"]),
    ],
)  # fmt: skip
def test_the_suffix_stands_after_the_dataset_or_at_the_end(text, names):
    scenes = load_scenes(text)
    assert [scene.name for scene in scenes] == names
    for scene in scenes:  # a report, a worker and merge select it again
        (again,) = load_scenes(scene.selected)
        assert (again.name, again.changes) == (scene.name, scene.changes)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("synthetic-lens+nois=5", UnknownName, "unknown perturbation 'nois'; did you mean 'noise'"),
        ("synthetic-lens/coins+blurr=1", UnknownName, "unknown perturbation 'blurr'"),
        ("synthetic-lens+noise=5+noise=6", UsageError, "noise is given twice"),
        ("synthetic-lens/nosuch+noise=5", UnknownName, "unknown scene of synthetic-lens 'nosuch'"),
        ("nosuch+noise=5", UnknownName, "unknown dataset"),
        ("synthetic-lens+", UnknownName, "unknown perturbation ''"),
    ],
)
def test_what_is_unknown_is_refused(text, error, said):
    with pytest.raises(error, match=said):
        load_scenes(text)


def test_folders_with_a_plus_in_their_name_are_paths(tmp_path):
    import cv2

    for folder in ("set", "a+b", "x+noise=5"):
        (tmp_path / folder).mkdir()
        for k in (1, 2):
            cv2.imwrite(str(tmp_path / folder / f"glass_{k}.png"), photo("uint8"))

    def names(text: str) -> list[str]:
        return [scene.name for scene in load_scenes(text)]

    assert names(f"folder:{tmp_path}/a+b") == names(f"folder:{tmp_path}/x+noise=5")
    assert names(f"folder:{tmp_path}/a+b") == ["folder/glass"]
    for text in ("set+noise=5", "set/glass+noise=5", "a+b+noise=5", "x+noise=5+noise=5"):
        assert names(f"folder:{tmp_path}/{text}") == ["folder+noise=5/glass"]
    assert names(f"folder+noise=5:{tmp_path}/set") == ["folder+noise=5/glass"]
    (again,) = load_scenes(load_scenes(f"folder:{tmp_path}/set+noise=5")[0].selected)
    assert again.name == "folder+noise=5/glass"
    with pytest.raises(UnknownName, match="unknown perturbation 'nose'"):
        load_scenes(f"folder:{tmp_path}/set+nose=5")
    pattern = "{scene}_{source}"
    assert names(f"folder:{tmp_path}/set::{pattern}+noise=5") == ["folder+noise=5/glass"]


def test_a_perturbed_scene_is_no_scene_of_a_collection():
    (clean, noisy) = load_scenes("lytro/c_01,lytro+noise=5/c_01")
    assert len(known_as(clean)) > 1
    assert known_as(noisy) == {"liu2020+noise=5/c_01"}
    assert unchanged(noisy).name == clean.name
    assert not unchanged(noisy).changes


def test_names_are_taken_apart():
    base, steps = split_dataset("liu2020+shift=1+noise=5")
    assert (base, suffix_of(steps)) == ("liu2020", "+shift=1+noise=5")
    for name in ("liu2020", "own+set", "own+noise"):
        assert split_dataset(name) == (name, ())
    twenty = [f"c_{k:02}" for k in range(1, 21)]
    assert caption_of("liu2020+noise=5", twenty) == "Lytro +noise=5, 20 pairs"


def test_grids_are_selections_of_known_amounts():
    for grid in GRIDS.values():
        assert set(grid.amounts) <= set(NAMES)
        for name, amounts in grid.amounts.items():
            entry = PERTURBATIONS[name]
            severities = [entry.severity(entry.amount(f"{amount:g}")) for amount in amounts]
            assert severities == sorted(set(severities))
        scenes = load_scenes(grid.name)
        count = 1 + sum(map(len, grid.amounts.values()))
        assert len(scenes) == count * len(grid.scenes)
        assert [scene.name for scene in scenes[: len(grid.scenes)]] == list(grid.scenes)
        assert len(load_scenes(f"{grid.name}:synthetic/coins")) == count
        assert len(load_scenes(f"{grid.name},-{grid.scenes[0].partition('/')[2]}")) == count * (
            len(grid.scenes) - 1
        )


def test_a_registered_perturbation_is_found_and_held_to_its_contract(own_registries):
    @perturbation("negative", title="a negative", unit="0 or 1", stage="file", first=False,
                  low=0, high=1, whole=True, default=1)  # fmt: skip
    def negative(image, amount, source):
        return 1 - image if amount else image

    scene = scene_of()
    images = perturbed(scene, "+negative")
    assert np.array_equal(images.sources[1], 255 - scene.images.sources[1])
    assert np.array_equal(images.sources[0], scene.images.sources[0])

    @perturbation("cut", title="too small", unit="pixels", stage="file", first=True, low=0, high=9)
    def cut(image, amount, source):
        return image[int(amount) :]

    with pytest.raises(ContractViolation, match="perturbation 'cut': it must give finite numbers"):
        perturbed(scene, "+cut=3")
    with pytest.raises(UsageError, match="cannot hold any of"):
        perturbation("a+b", title="", unit="", stage="file", first=True, low=0, high=1)
    with pytest.raises(UsageError, match="stage 'nowhere' must be one of"):
        perturbation("a", title="", unit="", stage="nowhere", first=True, low=0, high=1)
    assert "synthetic-lens" in DATASETS


@pytest.mark.parametrize("name", ["robustness/coins", "robustness+noise=5", "Robustness/coins"])
def test_a_grid_has_no_scenes_to_choose(name):
    with pytest.raises(UsageError, match="robustness:DATASET/SCENE perturbs a scene"):
        load_scenes(name)
