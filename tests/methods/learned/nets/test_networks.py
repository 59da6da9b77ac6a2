"""The networks: sizes that follow from the papers, two forms of a decoder, symmetries, reach."""

from __future__ import annotations

import pytest
import torch

from bench.core.errors import UsageError
from methods.learned.inference.focusmap import WINDOW, spread
from methods.learned.nets import focusnet, networks, smallnet
from methods.learned.nets.focusnet import FocusNet, SourceMaximum
from methods.learned.nets.networks import CNN, FCN, SRCNN, build, clarity, flip_transposed
from methods.learned.nets.smallnet import SmallFocusNet


def count(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def fcn_parameters(filters: int, size: int, depth: int, channels: int) -> int:
    """By hand: two streams, the 1 x 1 layer on their concatenation, the way back."""
    inner = size**2 * filters**2 + filters
    stream = size**2 * channels * filters + filters + (depth - 1) * inner
    fusion = 2 * filters * filters + filters
    back = (depth - 1) * inner + size**2 * filters * channels + channels
    return 2 * stream + fusion + back


@pytest.mark.parametrize("filters", [32, 64])
@pytest.mark.parametrize("size", [3, 5, 9])
@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("channels", [1, 4])
def test_fcn_has_the_papers_layers(filters, size, depth, channels):
    network = FCN(filters, size, (depth, 1, depth), channels)
    assert count(network) == fcn_parameters(filters, size, depth, channels)


def test_fcn_ends_in_relu_and_keeps_the_size():
    network = FCN(filters=4, channels=4)
    torch.nn.init.constant_(network.decoder[-1].bias, -100.0)
    out = network(torch.rand(2, 4, 7, 9), torch.rand(2, 4, 7, 9))
    assert out.shape == (2, 4, 7, 9)
    assert out.abs().max() == 0


def test_weight_head_gives_weights():
    out = FCN(filters=4, head="weights")(torch.rand(1, 1, 7, 9), torch.rand(1, 1, 7, 9))
    assert out.shape == (1, 1, 7, 9)
    assert ((out > 0) & (out < 1)).all()


@pytest.mark.parametrize("size", [3, 5])
def test_transposed_convolutions_equal_the_flipped_ones(size):
    plain = FCN(filters=6, size=size)
    paper = FCN(filters=6, size=size, transposed=True)
    assert isinstance(paper.decoder[0], torch.nn.ConvTranspose2d)
    paper.load_state_dict(flip_transposed(plain.state_dict()))
    a, b = torch.rand(2, 2, 1, 13, 11)
    torch.testing.assert_close(plain(a, b), paper(a, b))
    twice = flip_transposed(flip_transposed(plain.state_dict()))
    assert all(torch.equal(twice[k], v) for k, v in plain.state_dict().items())


def test_other_networks_have_the_papers_size():
    # 3x3x64, 3x3x128, 3x3x256, and two scores over an 8 x 8 window of 512 maps
    expected = 640 + (576 + 1) * 128 + (1152 + 1) * 256 + 2 * (512 * 64 + 1)
    assert count(CNN()) == expected
    assert abs(4 * expected / 2**20 - 1.66) < 0.01  # the megabytes that the paper states
    assert count(SRCNN()) == 64 * 82 + 32 * 65 + 801


def test_weights_stay_below_two_megabytes():
    assert 2 * count(FocusNet()) < 2e6
    assert 2 * count(SmallFocusNet()) < 1e6


def test_cnn_scores_windows_at_stride_two():
    network = CNN().eval()
    a, b = torch.rand(2, 1, 1, 20, 24)
    scores = network(a, b)
    assert scores.shape == (1, 2, 3, 5)
    # Away from the border of the map a window alone scores as within the image, except for
    # the padding of its own border.
    assert network(a[..., :WINDOW, :WINDOW], b[..., :WINDOW, :WINDOW]).shape == (1, 2, 1, 1)


def test_spread_averages_overlapping_windows():
    scores = torch.zeros(1, 1, 1, 2)
    scores[..., 1] = 1
    focus = spread(scores, (17, 18))
    assert focus.shape == (1, 1, 17, 18)
    assert focus[0, 0, 0, :2].tolist() == [0, 0]
    assert focus[0, 0, 0, 2:16].unique().tolist() == [0.5]
    assert focus[0, 0, 16, 16:].tolist() == [1, 1]  # beyond all windows: the nearest value


def test_clarity_is_the_energy_of_the_laplacian():
    image = torch.zeros(1, 2, 9, 9)
    image[0, 0, 4, 4] = 1
    energy = clarity(image, 3)
    assert energy[0, 1].abs().max() == 0
    assert energy[0, 0, 4, 4] == pytest.approx((16 + 4) / 9)


#: Networks that choose among any number of sources, and the modules that tell their reach.
FOCUSING = {"FocusNet": (FocusNet, focusnet), "SmallFocusNet": (SmallFocusNet, smallnet)}


def focusing(name: str) -> torch.nn.Module:
    torch.manual_seed(3)
    network = FOCUSING[name][0](widths=(8, 8, 8, 8)).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.15)
    return network


@pytest.mark.parametrize("name", FOCUSING)
@pytest.mark.parametrize("sources", [2, 3, 5])
def test_focus_networks_follow_any_order_of_the_sources(name, sources):
    network, order = focusing(name), torch.randperm(sources)
    stack = torch.rand(2, sources, 32, 64)
    scores = network(stack)
    assert scores.shape == (2, 2, sources, 32, 64)
    torch.testing.assert_close(network(stack[:, order]), scores[:, :, order], atol=1e-5, rtol=0)
    assert scores.std() > 1e-3


@pytest.mark.parametrize("name", FOCUSING)
def test_focus_networks_look_no_further_than_they_say(name):
    network, reach = focusing(name), FOCUSING[name][1].REACH
    for parameter in network.parameters():  # let every path through
        torch.nn.init.uniform_(parameter, 0, 0.05)
    stack = torch.rand(1, 2, 1056, FOCUSING[name][1].MULTIPLE, requires_grad=True)
    scores = network(stack)
    for row in (512, 520, 527, 535, 543):
        (slope,) = torch.autograd.grad(scores[..., row, 8].sum(), stack, retain_graph=True)
        rows = slope.abs().sum(dim=(0, 1, 3)).nonzero().flatten()
        assert row - reach <= int(rows.min()) < row - 200
        assert row + 200 < int(rows.max()) <= row + reach


@pytest.mark.parametrize("name", FOCUSING)
@pytest.mark.parametrize(("at_once", "kept"), [(2, 10**9), (1, 0), (2, 0)])
def test_focus_networks_give_the_same_in_groups_of_sources(name, at_once, kept, monkeypatch):
    """Kept or computed again, the finest scale is the same."""
    network, stack = focusing(name), torch.rand(2, 5, 320, 32)
    with torch.inference_mode():
        monkeypatch.setattr(focusnet, "AT_ONCE", 5)
        whole = network(stack)
        monkeypatch.setattr(focusnet, "AT_ONCE", at_once)
        monkeypatch.setattr(focusnet, "KEPT", kept)
        torch.testing.assert_close(network(stack), whole, atol=1e-5, rtol=1e-5)
        hard = network(stack, slice(1, 2))
    torch.testing.assert_close(hard, whole[1:], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", FOCUSING)
def test_focus_networks_score_alike_with_and_without_a_gradient(name):
    """Without one, sums go in place."""
    network = focusing(name)
    stack = torch.rand(1, 2, 96, 64)
    with torch.inference_mode():
        at_inference = network(stack)
    torch.testing.assert_close(at_inference, network(stack).detach(), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", FOCUSING)
def test_row_tiles_change_no_bit(name, monkeypatch):
    network, module = focusing(name), FOCUSING[name][1]
    stack = torch.rand(2, 3, 2 * module.TILE_ROWS * module.FOLD + module.MULTIPLE, 64)
    with torch.inference_mode():
        tiled = network(stack)
        monkeypatch.setattr(module, "TILE_ROWS", 10**6)
        assert torch.equal(network(stack), tiled)


@pytest.mark.parametrize("size", [(256, 64), (211, 77), (65, 64)])
@pytest.mark.parametrize("name", ["FCN", "CNN"])
def test_paper_networks_in_row_tiles_see_the_whole(name, size, monkeypatch):
    network = build(name)
    for parameter in network.parameters():  # borders count as much as all else
        torch.nn.init.uniform_(parameter, -0.02, 0.03)
    first, second = torch.rand(2, 1, 1, *size)
    with torch.inference_mode():
        monkeypatch.setattr(networks, "TILE_PIXELS", 2**40)
        whole = network(first, second)
        monkeypatch.setattr(networks, "TILE_PIXELS", 1)  # as few rows at a time as there can be
        tiled = network(first, second)
    assert tiled.shape == whole.shape
    torch.testing.assert_close(tiled, whole, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(tiled, network(first, second).detach(), atol=1e-5, rtol=1e-5)


def test_the_largest_source_has_the_gradient():
    stack = torch.rand(2, 3, 4, 5, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(SourceMaximum.apply, stack)
    equal = torch.randint(3, (2, 3, 4, 5, 6)).float().requires_grad_()
    largest = SourceMaximum.apply(equal)
    assert torch.equal(largest, equal.amax(dim=1))
    largest.sum().backward()
    assert set(equal.grad.unique().tolist()) == {0, 1}
    assert (equal.grad.sum(dim=1) == 1).all()
    assert (equal.grad <= (equal == equal.amax(dim=1, keepdim=True))).all()


def test_unknown_networks():
    with pytest.raises(UsageError, match="known: FCN"):
        build("ResNet")
    with pytest.raises(UsageError, match="FCN"):
        build("FCN", {"colour": 3})
    with pytest.raises(UsageError, match="depth"):
        build("FCN", {"depth": (2, 2, 2)})
