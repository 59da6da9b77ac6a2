"""Names of fused images, as people and published collections write them."""

from __future__ import annotations

import pytest

from bench.core.errors import UsageError
from bench.core.files import safe_name
from bench.engine.image_match import match_files
from bench.engine.image_names import SceneNames
from bench.engine.image_pattern import match_pattern
from bench.engine.selection import select_scenes
from datasets import Scene

MFIFB = ["mfifb/lytro_01", "mfifb/mffw_03", "mfifb/stand_01", "mfifb/temple"]


def own(*ids, dataset="folder"):
    return [Scene(dataset, name, lambda: None, "real") for name in ids]


def match(paths, scenes, root="results"):
    """What was found: scene to file name of each method, and the files that were left out."""
    files = sorted(paths, key=lambda path: (path.rpartition("/")[0], path))
    return match_files(root, files, SceneNames(scenes))


#: Path, scene, method; each as a collection that people download has it.
PUBLISHED = [
    ("Results/CMF/IFCNN-MAX-CMF-lytro-01.png", "c_01", "CMF"),
    ("IFCNN-MAX-CMF-lytro-01.png", "c_01", "IFCNN-MAX-CMF"),
    ("Lytro_results/lytro-01-DBMFIF.png", "c_01", "DBMFIF"),
    ("Results/Lytro/MFIF-GAN/Lytro_fusion_1.jpg", "c_01", "MFIF-GAN"),
    ("Results/grayscale/MFIF-GAN/grayscale_fusion_1.jpg", "g_01", "MFIF-GAN"),
    ("ResultsLytro/lytro-01-Fusion.png", "c_01", "ResultsLytro"),
    ("Results/Lytro_MS_LAP/1.png", "c_01", "MS_LAP"),
    ("Results/Lytro_MS_ResNet/1_fusion.png", "c_01", "MS_ResNet"),
    ("Results/GrayScale_MS_LAP/g_01_ms-lap.png.png", "g_01", "MS_LAP"),
    ("results_lytro/c_01.tif", "c_01", "results"),
    ("results_natural/pepsi_natural.tif", "g_02", "results"),
    ("fused_images/lytro_01_FusionDN.jpg", "c_01", "FusionDN"),
    ("lytro_01_U2Fusion.jpg", "c_01", "U2Fusion"),
    ("lytro_01_MFF-GAN.jpg", "c_01", "MFF-GAN"),
    ("c_01_dtcwt.tif", "c_01", "dtcwt"),
    ("color_lytro_01.png", "c_01", "results"),
    ("fused/liu2020/c_01/lp@levels=5,size=(3,3).png", "c_01", "lp@levels=5,size=(3,3)"),
    ("fused/mfifb/lytro_01/gf+jpeg.png", "c_01", "gf+jpeg"),
    ("C_1.PNG", "c_01", "results"),
    ("lytro01.bmp", "c_01", "results"),
]


@pytest.mark.parametrize(("path", "scene", "method"), PUBLISHED)
def test_names_of_published_images(path, scene, method):
    found = match([path], select_scenes("liu2020"))
    assert found.methods == {method: {f"liu2020/{scene}": path}}


@pytest.mark.parametrize(
    ("path", "scene", "method"),
    [
        ("MFFW/MFIF-GAN/MFFW2_fusion_3.jpg", "mffw_03", "MFIF-GAN"),
        ("MFFW_MS_LAP/3.png", "mffw_03", "MS_LAP"),
        ("mffw_03_PMGI.jpg", "mffw_03", "PMGI"),
        ("stand_01_DCT_Corr.jpg", "stand_01", "DCT_Corr"),
        ("temple_QB.jpg", "temple", "QB"),
        ("c_01.tif", "lytro_01", "results"),
        ("lytro-01-DBMFIF.png", "lytro_01", "DBMFIF"),
    ],
)
def test_names_of_scenes_of_mfifb(path, scene, method):
    assert match([path], select_scenes("mfifb")).methods == {method: {f"mfifb/{scene}": path}}


@pytest.mark.parametrize(
    "path",
    [
        "results_multiple3/lytro_01.tif",  # the triples of the same names
        "IFCNN-MAX-CMF3-lytro-01.png",
        "MFFW_MS_LAP/1.png",
        "MFFW2_fusion_1.jpg",
        "MFI-WHU_01_GFF.jpg",
        "aymaz_01_GFF.jpg",
        "c_01_2_gff.tif",
        "flower_2.png",
    ],
)
def test_images_of_other_scenes_fit_none(path):
    found = match([path], [*select_scenes("lytro"), *own("flower")])
    assert found.methods == {}
    assert found.strays == [path]


def test_an_image_stands_for_its_picture_under_all_names():
    scenes = select_scenes(["lytro", "mfifb/lytro_01"])
    both = {"liu2020/c_01": "lytro-01.png", "mfifb/lytro_01": "lytro-01.png"}
    assert match(["lytro-01.png"], scenes).methods == {"results": both}
    two = ["c_01.png", "lytro_01.png"]
    with pytest.raises(UsageError, match=r"c_01.png and lytro_01.png are both results of"):
        match(two, select_scenes("liu2020/c_01"))
    each = {"liu2020/c_01": "c_01.png", "mfifb/lytro_01": "lytro_01.png"}
    assert match(two, scenes).methods == {"results": each}


def test_folders_of_methods():
    paths = [f"{m}/{k}-{m}.png" for m in ("mine", "GFF-2") for k in (1, 2)]
    found = match(paths, own("1", "2"))
    assert found.methods == {
        m: {f"folder/{k}": f"{m}/{k}-{m}.png" for k in (1, 2)} for m in ("mine", "GFF-2")
    }


def test_numbers_stand_for_scenes_of_one_series():
    scenes = own("lytro-01", "lytro-02", "lytro-10")
    found = match(["1.png", "2.png", "10.png", "11.png"], scenes, "mine")
    assert found.methods == {
        "mine": {
            "folder/lytro-01": "1.png",
            "folder/lytro-02": "2.png",
            "folder/lytro-10": "10.png",
        }
    }
    assert found.strays == ["11.png"]
    assert match(["fusion1.png", "fusion2.png"], scenes).methods["results"].keys() == {
        "folder/lytro-01",
        "folder/lytro-02",
    }
    assert match(["GFF_01.png", "GFF_02.png"], scenes).methods.keys() == {"GFF"}
    assert match(["1/lp.png", "1/gf.png"], scenes).methods.keys() == {"lp", "gf"}


@pytest.mark.parametrize(
    "paths", [["1_gff.png", "2_cnn.png"], ["1.png", "more.png"], ["1.png", "1_2.png"]]
)
def test_numbers_stand_for_nothing_where_the_names_differ_otherwise(paths):
    found = match(paths, own("lytro-01", "lytro-02"))
    assert found.methods == {}
    assert found.strays == paths


def test_a_number_of_two_series_is_an_error_that_names_both():
    with pytest.raises(UsageError, match=r"7.png: .*like liu2020/g_01 or like liu2020/c_01|c_01"):
        match(["7.png"], select_scenes("liu2020"))
    with pytest.raises(UsageError, match=r"1.png and 01.png have one number|01.png and 1.png"):
        match(["1.png", "01.png"], own("lytro-01"))


def test_numbers_of_their_own_are_exact():
    found = match(["1.png", "c_10.png", "c_1.png"], own("1", "lytro-01", "c_1", "c_10"))
    assert found.methods["results"] == {
        "folder/1": "1.png",
        "folder/c_10": "c_10.png",
        "folder/c_1": "c_1.png",
    }
    zeros = match(["01.png", "1.png"], own("1", "01")).methods["results"]
    assert zeros == {"folder/1": "1.png", "folder/01": "01.png"}


def test_numbers_of_methods_are_not_scenes():
    scenes = own("1", "2", "3")
    paths = ["IFCNN-V-2-lytro-01.png", "IFCNN-V-2-lytro-02.png", "IFCNN-V-2-lytro-03.png"]
    found = match(paths, scenes)
    assert found.methods == {
        "IFCNN-V-2": {f"folder/{k}": path for k, path in enumerate(paths, start=1)}
    }
    assert match(["U2Fusion_3.png"], scenes).methods == {"U2Fusion": {"folder/3": "U2Fusion_3.png"}}
    assert match(["MFFW2_fusion_3.jpg"], scenes).methods == {
        "results": {"folder/3": "MFFW2_fusion_3.jpg"}
    }
    (levels,) = match(["1/lp@levels=3.png"], scenes).methods
    assert levels == "lp@levels=3"


def test_a_name_that_fits_two_scenes_is_an_error_that_names_both():
    with pytest.raises(UsageError, match=r"1_vs-2.png may be of folder/1 or of folder/2|folder/2"):
        match(["1_vs-2.png"], own("1", "2"))
    with pytest.raises(UsageError, match=r"1/2.png may be of folder/1 or of folder/2"):
        match(["1/2.png"], own("1", "2"))
    same = own("one") + own("one", dataset="paper")
    with pytest.raises(UsageError, match=r"one.png may be of folder/one or of paper/one"):
        match(["one.png"], same)
    assert match(["paper/one/lp.png", "folder/one/lp.png"], same).methods == {
        "lp": {"paper/one": "paper/one/lp.png", "folder/one": "folder/one/lp.png"}
    }


def test_maps_sources_and_references_are_put_aside():
    paths = ["1.png", "1_map.png", "maps/1.png", "1_A.png", "1_B.png", "1_gt.png", "1_F.tif"]
    with pytest.raises(UsageError, match=r"1.png and 1_F.tif are both results of folder/1"):
        match(paths, own("1"))
    found = match(paths[1:], own("1"))
    assert found.methods == {"results": {"folder/1": "1_F.tif"}}
    assert found.maps == ["1_map.png", "maps/1.png"]
    assert found.sources == ["1_A.png", "1_B.png", "1_gt.png"]


def test_names_of_any_letters():
    scenes = own("übung 3", "one", "one_more")
    paths = [f"{safe_name('übung 3')}/lp.png", "one_more/lp.png", "one/lp.png"]
    assert match(paths, scenes).methods == {
        "lp": dict(zip(("folder/übung 3", "folder/one_more", "folder/one"), paths, strict=True))
    }
    assert match(["u\u0308bung-03_max.png"], scenes).methods.keys() == {"max"}


@pytest.mark.parametrize(
    ("pattern", "path", "method"),
    [
        ("{method}/out_{scene}_x", "deep/mine/out_c_01_x.png", "mine"),
        ("{scene}__{method}", "Lytro-1__v_2.tif", "v_2"),
        ("{scene}", "1.png", "results"),
        ("{dataset}/{method}-{scene}", "liu2020/a-b-c_01.png", "a-b"),
        ("result_{scene}_*", "result_1_a8f.png", "results"),
    ],
)
def test_patterns(pattern, path, method):
    names = SceneNames(select_scenes("lytro"))
    found = match_pattern("results", [path, "else.png"], names, pattern)
    assert found.methods == {method: {"liu2020/c_01": path}}
    assert found.strays == ["else.png"]


def test_a_pattern_with_a_star_that_fits_two_scenes_is_refused():
    names = SceneNames(select_scenes("lytro"))
    with pytest.raises(UsageError, match=r"net_3_1\.png may be of liu2020/c_0[13] or of "):
        match_pattern("results", ["net_3_1.png"], names, "*{scene}*")


@pytest.mark.parametrize(
    ("root", "name"),
    [
        ("Lytro_MS_LAP", "MS_LAP"),
        ("results", "results"),
        ("lytro", "lytro"),
        ("fused_beside", "fused_beside"),
    ],
)
def test_a_flat_folder_names_the_method(root, name):
    assert list(match(["1.png"], own("1"), root).methods) == [name]


@pytest.mark.parametrize(
    ("path", "scene", "method"),
    [
        ("results_multiple3/lytro_01.tif", "lytro-triple/triple_01", "results"),
        ("IFCNN-MAX-CMF3-lytro-02.png", "lytro-triple/triple_02", "IFCNN-MAX"),
        ("c_03.png", "liu2020/c_03", "results"),
        ("MFFW_MS_LAP/3.png", "mffw/mffw_03", "MS_LAP"),
        ("MFFW2_fusion_3.jpg", "mffw/mffw_03", "results"),
        ("MFFW3_2.png", "mffw/mffw3_2", "results"),
        ("MFI-WHU_07_MFF-GAN.jpg", "mfi-whu/mfi-whu_07", "MFF-GAN"),
        ("gf/keyboard.png", "stacks/keyboard", "gf"),
        ("gf/pcb_depth.png", "stacks/pcb-depth", "gf"),
        ("results_natural/temple_natural.tif", "natural/temple", "results"),
    ],
)
def test_names_of_pairs_and_stacks_side_by_side(path, scene, method):
    names = ["lytro", "lytro-triple", "mffw", "mfi-whu", "stacks", "natural"]
    found = match([path], select_scenes(names))
    assert {m: images.get(scene) for m, images in found.methods.items()} == {method: path}


def test_one_name_of_a_pair_and_a_triple_is_refused():
    with pytest.raises(UsageError, match="may be of"):
        match(["mine/lytro-01.png"], select_scenes(["lytro", "lytro-triple"]))
