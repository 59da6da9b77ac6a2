"""Which files of a folder are a scene: every layout, and every name that is refused."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from bench.core.errors import BenchError, NothingSelected, UsageError
from bench.core.remarks import collect
from datasets import load_scenes

OPTION = "--layout"


def touch(folder: Path, *names: str) -> Path:
    """Files of these names; nothing opens them when scenes are listed."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder


def pages(path: Path, count: int) -> Path:
    """A TIFF of `count` pages."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = [Image.fromarray(np.full((12, 16), 20 * k, np.uint8)) for k in range(count)]
    made[0].save(path, save_all=True, append_images=made[1:])
    return path


def listed(folder: Path, *layout: str) -> dict[str, list[str]]:
    """Scene ids with the paths of sources, reference and mask, the latter two marked."""
    found = {}
    for scene in load_scenes(f"folder:{folder}", layout):
        files = scene.read.files
        found[scene.id] = [path.relative_to(folder).as_posix() for path in files.sources]
        for mark, path in (("ref", files.reference), ("mask", files.mask)):
            if path:
                found[scene.id].append(f"{mark} {path.relative_to(folder).as_posix()}")
    return found


LAYOUTS = {
    "letters": (["1_A.png", "1_B.png", "2-a.jpg", "2-b.jpg"],
                {"1": ["1_A.png", "1_B.png"], "2": ["2-a.jpg", "2-b.jpg"]}),
    "lytro": (["lytro-01-A.jpg", "lytro-01-B.jpg"],
              {"lytro-01": ["lytro-01-A.jpg", "lytro-01-B.jpg"]}),
    "triples": (["t-A.tif", "t-B.tif", "t-C.tif"], {"t": ["t-A.tif", "t-B.tif", "t-C.tif"]}),
    "numbers": (["g_01_1.tif", "g_01_2.tif", "c-2.tif", "c-1.tif"],
                {"c": ["c-1.tif", "c-2.tif"], "g_01": ["g_01_1.tif", "g_01_2.tif"]}),
    "joined numbers": (["corner1.bmp", "corner2.bmp", "pepsi1.bmp", "pepsi2.bmp"],
                       {"corner": ["corner1.bmp", "corner2.bmp"],
                        "pepsi": ["pepsi1.bmp", "pepsi2.bmp"]}),
    "joined letters": (["bookA.png", "bookB.png"], {"book": ["bookA.png", "bookB.png"]}),
    "near and far": (["x_near.png", "x_far.png"], {"x": ["x_near.png", "x_far.png"]}),
    "near first": (["far_x.png", "near_x.png"], {"x": ["near_x.png", "far_x.png"]}),
    "only near and far": (["s/near.png", "s/far.png"], {"s": ["s/near.png", "s/far.png"]}),
    "MFFW": (["MFFW2/1/image1.tif", "MFFW2/1/image2.tif", "MFFW2/2/image1.tif",
              "MFFW2/2/image2.tif", "MFFW3/1/image1.png", "MFFW3/1/image2.png",
              "MFFW3/1/image3.png"],
             {"MFFW2_1": ["MFFW2/1/image1.tif", "MFFW2/1/image2.tif"],
              "MFFW2_2": ["MFFW2/2/image1.tif", "MFFW2/2/image2.tif"],
              "MFFW3_1": ["MFFW3/1/image1.png", "MFFW3/1/image2.png", "MFFW3/1/image3.png"]}),
    "a folder per scene": (["lab/A.tif", "lab/b.TIF", "desk/A.png", "desk/B.png"],
                           {"desk": ["desk/A.png", "desk/B.png"],
                            "lab": ["lab/A.tif", "lab/b.TIF"]}),
    "two levels": (["set/iso_1/iso_1_A.JPG", "set/iso_1/iso_1_B.JPG"],
                   {"iso_1": ["set/iso_1/iso_1_A.JPG", "set/iso_1/iso_1_B.JPG"]}),
    "source_1": (["source_1/1.jpg", "source_1/2.jpg", "source_2/1.jpg", "source_2/2.jpg",
                  "full_clear/1.jpg", "full_clear/2.jpg"],
                 {"1": ["source_1/1.jpg", "source_2/1.jpg", "ref full_clear/1.jpg"],
                  "2": ["source_1/2.jpg", "source_2/2.jpg", "ref full_clear/2.jpg"]}),
    "imageA": (["imageA/001_A.png", "imageB/001_B.png", "Fusion/001_F.png"],
               {"001": ["imageA/001_A.png", "imageB/001_B.png"]}),
    "A B GT": (["A/1.png", "A/2.png", "B/1.png", "B/2.png", "GT/1.png", "GT/2.png"],
               {"1": ["A/1.png", "B/1.png", "ref GT/1.png"],
                "2": ["A/2.png", "B/2.png", "ref GT/2.png"]}),
    "near/ far/": (["near/a1.png", "far/a1.png"], {"a1": ["near/a1.png", "far/a1.png"]}),
    "role folders in sets": (["train/A/1.png", "train/B/1.png", "val/A/1.png", "val/B/1.png",
                              "val/masks/1.png"],
                             {"train_1": ["train/A/1.png", "train/B/1.png"],
                              "val_1": ["val/A/1.png", "val/B/1.png", "mask val/masks/1.png"]}),
    "sets in role folders": (["A/x/1.png", "B/x/1.png", "A/y/1.png", "B/y/1.png", "GT/y/1.png"],
                             {"x_1": ["A/x/1.png", "B/x/1.png"],
                              "y_1": ["A/y/1.png", "B/y/1.png", "ref GT/y/1.png"]}),
    "names that end with numbers in role folders": (
        ["source_1/lytro_1.png", "source_1/lytro_2.png",
         "source_2/lytro_1.png", "source_2/lytro_2.png"],
        {"lytro_1": ["source_1/lytro_1.png", "source_2/lytro_1.png"],
         "lytro_2": ["source_1/lytro_2.png", "source_2/lytro_2.png"]}),
    "beside": (["1_A.png", "1_B.png", "1_gt.png", "1_mask.png", "1_fused.png", "2_A.png",
                "2_B.png", "2_AIF.png", "2_label.png", "2_F.png", "2_result.png"],
               {"1": ["1_A.png", "1_B.png", "ref 1_gt.png", "mask 1_mask.png"],
                "2": ["2_A.png", "2_B.png", "ref 2_AIF.png", "mask 2_label.png"]}),
    "in one folder": (["s/A.png", "s/B.png", "s/all_in_focus.png", "s/fusion.png"],
                      {"s": ["s/A.png", "s/B.png", "ref s/all_in_focus.png"]}),
    "six letters": ([f"x_{c}.png" for c in "ABCDEF"], {"x": [f"x_{c}.png" for c in "ABCDEF"]}),
    "one picture for each role": (["near/DSC7.JPG", "far/DSC9.JPG"],
                                  {"only": ["near/DSC7.JPG", "far/DSC9.JPG"]}),
    "stacks of pairs": (["pair1/1.png", "pair1/2.png", "pair2/1.png", "pair2/2.png"],
                        {"pair1": ["pair1/1.png", "pair1/2.png"],
                         "pair2": ["pair2/1.png", "pair2/2.png"]}),
    "OME": (["x_A.ome.tif", "x_B.ome.tif"], {"x": ["x_A.ome.tif", "x_B.ome.tif"]}),
    "GT beside sources": (["1_A.png", "1_B.png", "GT/1.png"],
                          {"1": ["1_A.png", "1_B.png", "ref GT/1.png"]}),
}  # fmt: skip

STACKS = {
    "sony": [f"DSC{k:05}.JPG" for k in range(1230, 1238)],
    "nikon": [f"DSC_{k:04}.JPG" for k in range(9, 13)],
    "lumix": [f"P1000{k:03}.JPG" for k in range(98, 103)],
    "canon": [f"IMG_{k}.JPG" for k in range(9998, 10002)],
    "numbers": [f"{k}.png" for k in range(12)],
    "padded": [f"{k:02}.png" for k in range(12)],
    "letter": [f"a{k:02}.jpg" for k in range(32)],
    "steps of z": [f"img_z{k:03}.tif" for k in range(0, 50, 10)],
    "windows": [f"photo ({k}).jpg" for k in range(1, 12)],
    "times": ["IMG_20240101_120059.jpg", "IMG_20240101_120101.jpg", "IMG_20240101_120150.jpg"],
    "bursts": [f"PXL_20240101_1200001{k}0.jpg" for k in range(3)],
    "spelled times": ["2024-01-01 12.00.00.jpg", "2024-01-01 12.00.09.jpg"],
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layout(tmp_path, name):
    files, scenes = LAYOUTS[name]
    assert listed(touch(tmp_path / "only", *files)) == scenes


@pytest.mark.parametrize("name", STACKS)
def test_one_stack_in_the_order_of_its_names(tmp_path, name):
    folder = tmp_path / "beetle"
    touch(folder, *sorted(STACKS[name], reverse=True))
    assert listed(folder) == {"beetle": STACKS[name]}
    assert listed(tmp_path) == {"beetle": [f"beetle/{file}" for file in STACKS[name]]}


def test_a_named_stack_has_its_name(tmp_path):
    files = [f"pcb_{k:03}.jpg" for k in range(1, 8)]
    with collect() as remarks:
        assert listed(touch(tmp_path, *files, "expected.jpg")) == {"pcb": files}
    assert remarks == [f"{tmp_path}/expected.jpg fits no scene; left out"]


@pytest.mark.parametrize("name", [*LAYOUTS, *STACKS])
def test_names_are_alike_in_any_case_and_order(tmp_path, name):
    """Neither the order in which files were written nor files that are no pictures matter."""
    files, _ = LAYOUTS[name] if name in LAYOUTS else (STACKS[name], None)
    first = listed(touch(tmp_path / "set", *files))
    mixed = random.Random(name).sample(files, len(files))
    junk = [".hidden_A.png", "._1_A.png", "Thumbs.db", "@eaDir/1_A.png", "notes.txt", ".x/y.png"]
    assert listed(touch(tmp_path / "b" / "set", *junk, *mixed)) == first


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    scenes=st.dictionaries(
        st.from_regex(r"x[a-z]{2,4}_\d\d", fullmatch=True),
        st.integers(2, 5),
        min_size=1,
        max_size=4,
    ),
    separator=st.sampled_from("_- "),
    letters=st.booleans(),
)
def test_any_names_with_roles(tmp_path, scenes, separator, letters):
    folder = tmp_path / "set"
    shutil.rmtree(folder, ignore_errors=True)
    expected = {}
    for name, count in scenes.items():
        roles = [chr(ord("A") + k) if letters else str(k + 1) for k in range(count)]
        expected[name] = [f"{name}{separator}{role}.png" for role in roles]
    touch(folder, *(file for files in expected.values() for file in files))
    assert listed(folder) == expected


REFUSED = {
    "no second": (["s_A.png"], r"scene 's' has only one source \(s_A.png\)"),
    "no source": (["s_truth.png"], r"scene 's' has no source \(s_truth.png\)"),
    "A and C": (["s_A.png", "s_C.png"], r"scene 's' has no source B \(s_A.png, s_C.png\)"),
    "B and C": (["s_B.png", "s_C.png"], "has no source A"),
    "1 and 3": (["s_1.png", "s_3.png"], "number 2 is missing between s_1.png and s_3.png"),
    "2 and 3": (["s_2.png", "s_3.png"], "s_2.png is the first, number 1 is missing"),
    "mixed": (["s_A.png", "s_2.png"], "mixes letters and numbers"),
    "twice": (["s_A.png", "s_B.png", "s_a.jpg"], "are both 'a' of one scene"),
    "twice a number": (["s_1.png", "s_01.png", "s_2.png"], "are both"),
    "two references": (["s_A.png", "s_B.png", "s_gt.png", "s_AIF.png"], "are both 'reference'"),
    "a gap": (["DSC01230.JPG", "DSC01231.JPG", "DSC01299.JPG"], "number 01232 is missing"),
    "hours apart": (["IMG_20240101_120000.jpg", "IMG_20240101_150000.jpg"], "60 s apart"),
    "two cameras": (["DSC01230.JPG", "DSC01231.JPG", "IMG_0001.JPG", "IMG_0002.JPG"],
                    "different series"),
    "camera and letters": (["DSC01230.JPG", "DSC01231.JPG", "x_A.JPG", "x_B.JPG"], "two kinds"),
    "unrelated": (["beach.jpg", "cat.jpg", "DSC01230.jpg", "DSC01231.jpg"], "not certainly one"),
    "scenes by number": (["lytro-01.jpg", "lytro-02.jpg"], "two scenes, not two sources"),
    "scene words": (["scene1.png", "scene2.png", "scene3.png"], "two scenes, not two sources"),
    "roles first": (["A_1.png", "A_2.png", "B_1.png", "B_2.png"], "two sources of one scene"),
    "left and right": (["left/1.png", "left/2.png", "right/1.png", "right/2.png"],
                       "two sources of one scene or belong to two stacks"),
    "letters twice": (["A/1_A.png", "A/1_B.png", "B/1_A.png", "B/1_B.png"], "two sources of one"),
    "no partner": (["A/1.png", "A/2.png", "B/1.png"], r"A/2.png has no partner in B"),
    "no folder B": (["A/1.png", "C/1.png"], "no directory of source B"),
    "no folder 2": (["source_1/1.png", "source_3/1.png"], "no directory of source 2"),
    "folders of two kinds": (["source_1/1.png", "source_B/1.png"], "mix letters and numbers"),
    "raw beside some": (["DSC01.NEF", "DSC01.JPG", "DSC02.NEF"], "DSC02.NEF has no picture beside"),
    "a reference of each number": (["1.png", "2.png", "1_gt.png"], "belongs to one picture"),
    "one name in one place": (["x_A.png", "x_B.png", "x-A.png", "x-B.png"], "are both"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_certain_is_refused(tmp_path, name):
    """The error names a file that is there, and the option that says what is what."""
    files, message = REFUSED[name]
    touch(tmp_path, *files)
    with pytest.raises(UsageError, match=message) as error:
        load_scenes(f"folder:{tmp_path}")
    said = str(error.value)
    assert OPTION in said
    assert any(os.path.basename(file) in said for file in files)  # noqa: PTH119
    assert "\n" not in said


@pytest.mark.parametrize(
    ("files", "seen"),
    [
        (["photo.png"], r"saw photo.png\); call them name_A and name_B.*--layout"),
        (["a/cat.png", "a/dog.png"], "saw a/cat.png and 1 more"),
        (["readme.txt"], r"no picture in it \(saw readme.txt\)"),
        ([], "it is empty"),
        (["results/1.png", "results/2.png"], "saw results/1.png"),
    ],
)
def test_nothing_found_says_what_was_seen(tmp_path, files, seen):
    with pytest.raises(NothingSelected, match=seen):
        load_scenes(f"folder:{touch(tmp_path, *files)}")


def notes_of(folder: Path) -> list[str]:
    return [note for scene in load_scenes(f"folder:{folder}") for note in scene.read.files.notes]


def test_a_fused_image_is_said_and_a_sixth_source_may_be_one(tmp_path):
    assert notes_of(touch(tmp_path / "a", "1_A.png", "1_B.png", "1_F.png")) == [
        "1_F.png: a fused image, not a source"
    ]
    (note,) = notes_of(touch(tmp_path / "b", *(f"x_{c}.png" for c in "ABCDEF")))
    assert note == "x_F.png is taken for the sixth source, not for a fused image"
    assert not notes_of(touch(tmp_path / "c", *(f"x_{c}.png" for c in "ABCDEFG")))


def test_raw_files_beside_pictures_are_left_out(tmp_path):
    files = [f"DSC0{k}.{kind}" for k in range(1230, 1233) for kind in ("JPG", "NEF")]
    assert listed(touch(tmp_path / "x", *files))["x"] == [f for f in files if f.endswith("JPG")]
    assert "DSC01230.NEF" in notes_of(tmp_path / "x")[0]


def test_endings_that_no_reader_takes_are_seen(tmp_path):
    assert listed(touch(tmp_path, "s_A.heic", "s_B.heic"))["s"] == ["s_A.heic", "s_B.heic"]
    with pytest.raises(BenchError, match=r"s_A\.heic"):
        _ = load_scenes(f"folder:{tmp_path}")[0].images


class TestPages:
    def test_a_file_of_pages_is_a_stack(self, tmp_path):
        file = pages(tmp_path / "cell.tif", 3)
        for text in (f"folder:{file}", f"folder:{tmp_path}", f"folder:{tmp_path}/cell"):
            (scene,) = load_scenes(text)
            assert (scene.id, scene.read.files.count) == ("cell", 3)
            assert [int(image[0, 0]) for image in scene.images.sources] == [0, 20, 40]

    def test_also_with_a_role_or_a_reference_or_beside_others(self, tmp_path):
        pages(tmp_path / "a" / "s_A.tif", 2)
        assert [scene.id for scene in load_scenes(f"folder:{tmp_path / 'a'}")] == ["s_A"]
        for name in ("beetle", "ant"):
            pages(tmp_path / "b" / f"{name}.tif", 2)
        touch(tmp_path / "b", "ant_gt.png", "x_A.png", "x_B.png")
        assert listed(tmp_path / "b") == {
            "ant": ["ant.tif", "ref ant_gt.png"],
            "beetle": ["beetle.tif"],
            "x": ["x_A.png", "x_B.png"],
        }

    def test_one_page_is_no_scene(self, tmp_path):
        file = pages(tmp_path / "cell.tif", 1)
        with pytest.raises(UsageError, match="1 page"):
            load_scenes(f"folder:{file}")
        with pytest.raises(NothingSelected, match=r"cell\.tif"):
            load_scenes(f"folder:{tmp_path}")


class TestPatterns:
    @pytest.mark.parametrize(
        ("files", "layout", "scenes"),
        [
            (["left/1.png", "right/1.png"], ["{source}/{scene}"],
             {"1": ["left/1.png", "right/1.png"]}),
            (["left/1.png", "right/1.png", "ok/1.png"],
             ["{source}/{scene}", "reference=ok/{scene}"],
             {"1": ["left/1.png", "right/1.png", "ref ok/1.png"]}),
            (["b/x.png", "a/x.png", "ok/x.png"], ["b/{scene}", "a/{scene}", "reference=ok/{scene}"],
             {"x": ["b/x.png", "a/x.png", "ref ok/x.png"]}),
            (["A_1.png", "A_2.png", "B_1.png", "B_2.png"], ["{source}_{scene}"],
             {"1": ["A_1.png", "B_1.png"], "2": ["A_2.png", "B_2.png"]}),
            (["v/pair0/V9_t.jpg", "v/pair0/V10.jpg"], ["*/{scene}/*_t", "*/{scene}/*"],
             {"pair0": ["v/pair0/V9_t.jpg", "v/pair0/V10.jpg"]}),
            (["p/1.jpg", "p/7.jpg", "p/11.jpg"], ["*/{source}"],
             {"set": ["p/1.jpg", "p/7.jpg", "p/11.jpg"]}),
            (["x/x_l.png", "x/x_r.png", "x/y_l.png"], ["{scene}/{scene}_{source}.PNG"],
             {"x": ["x/x_l.png", "x/x_r.png"]}),
            (["1_a.png", "1_b.png", "1_m.png", "1_o.png"],
             ["mask={scene}_m", "fused={scene}_o", "{scene}_{source}"],
             {"1": ["1_a.png", "1_b.png", "mask 1_m.png"]}),
        ],
    )  # fmt: skip
    def test_what_is_what(self, tmp_path, files, layout, scenes):
        folder = touch(tmp_path / "set", *files)
        assert listed(folder, *layout) == scenes
        assert [s.id for s in load_scenes(f"folder:{folder}::{'::'.join(layout)}")] == [*scenes]

    @pytest.mark.parametrize(
        ("layout", "message"),
        [
            (["{name}_{source}"], r"\{name\} must be \{scene\} or \{source\}"),
            (["truth={scene}"], "'truth' must be one of source, reference"),
            (["reference={scene}"], "no pattern of sources"),
            (["{scene}x{source}"], r"no file fits --layout .*saw 1_A.png"),
            (["{scene}_A"], r"only one source \(1_A.png\)"),
            (["{scene}_*"], "1_A.png and 1_B.png are both the same source"),
            (["source="], "the path is missing"),
        ],
    )
    def test_wrong_patterns(self, tmp_path, layout, message):
        touch(tmp_path, "1_A.png", "1_B.png")
        with pytest.raises(BenchError, match=message):
            load_scenes(f"folder:{tmp_path}", layout)

    def test_is_for_folders(self):
        with pytest.raises(UsageError, match="--layout is for folder:DIR"):
            load_scenes("paper", ["{scene}_{source}"])

    def test_pages(self, tmp_path):
        for k in (1, 2):
            pages(tmp_path / f"cell_{k}.tif", 2)
        assert len(load_scenes(f"folder:{tmp_path}", ["{scene}"])) == 2


DATA = {
    "mffw": {"MFFW2_1": 2, "MFFW3_2": 6},
    "drl-fpd": {"corner": 2, "lytro-01": 3},
    "mfi-whu": {"MFI-WHU_01": 2},
    "mfifb": {"stand_01": 2},
    "liu2020": {"c_01": 2, "g_05": 2},
    "low-light": {"iso_1": 2},
    "stacks-pcb": {"pcb": 7},
    "stacks-keyboard": {"Examples": 32},
    "stacks-kitchen": {"kitchen": 12},
}


@pytest.mark.parametrize("name", DATA)
def test_collections_as_they_are_published(name):
    folder = Path(os.environ.get("MFIF_DATA", ""), name)
    if not folder.is_dir():
        pytest.skip(f"needs {name} in MFIF_DATA")
    counts = {scene.id: scene.read.files.count for scene in load_scenes(f"folder:{folder}")}
    assert DATA[name].items() <= counts.items()
