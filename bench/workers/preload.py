"""Imported once by the server that worker processes are forked from, so that they start at once.

Nothing here may compute: a thread pool or a CUDA context does not survive a fork.
"""

from __future__ import annotations

import cv2  # noqa: F401
import pywt  # noqa: F401
import scipy.fft
import scipy.ndimage  # noqa: F401

import bench.workers.process  # noqa: F401
from bench.core.environment import libraries
from datasets import DATASETS
from methods import METHODS
from metrics import METRICS

libraries()  # cached for all worker processes
DATASETS.discover()
METHODS.discover()
METRICS.discover()
