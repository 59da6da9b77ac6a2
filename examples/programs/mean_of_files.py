"""Average images: ``python mean_of_files.py POWER OUTPUT SOURCE SOURCE ...``."""

import sys

import cv2
import numpy as np

power, output, *sources = sys.argv[1:]
images = [cv2.imread(source, cv2.IMREAD_UNCHANGED) for source in sources]
mean = np.mean([image.astype(float) ** float(power) for image in images], axis=0)
cv2.imwrite(output, np.round(mean ** (1 / float(power))).astype(images[0].dtype))
