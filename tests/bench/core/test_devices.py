"""One check of a device's name for every command."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bench.core.devices import check_device
from bench.core.errors import EnvironmentFault


@pytest.mark.parametrize("device", ["tpu", "cpu:0", "cuda:", "cuda:x", "cuda:-1", "cuda:0:1", ""])
@pytest.mark.parametrize("here", [True, False])
def test_an_unknown_device_is_refused_everywhere(device, here):
    with pytest.raises(EnvironmentFault, match="is unknown; allowed: cpu, cuda, cuda:N"):
        check_device(device, here=here)


def test_a_device_of_another_machine_need_not_be_here():
    check_device("cuda:4095", here=False)
    with pytest.raises(EnvironmentFault, match="'cuda:4095' is not available"):
        check_device("cuda:4095")
    check_device("cpu")


def test_without_torch_there_is_no_gpu(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(EnvironmentFault, match="'cuda' is not available: import of torch halted"):
        check_device("cuda")


def test_threads_of_a_lazy_torch_are_not_asked_for():
    pytest.importorskip("torch")
    code = (
        "import sys, lazy_loader\nfrom bench.core.devices import pin_torch\n"
        "lazy_loader.load('torch')\npin_torch(1)\nprint('torch._C' in sys.modules)\n"
        "import torch\ntorch.get_num_threads()\npin_torch(1)\nprint(torch.get_num_threads())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "1"]
