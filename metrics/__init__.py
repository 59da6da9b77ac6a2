"""The indexes: pure functions on luminance planes of whole numbers 0..255.

Each is registered with what is known about it — direction, bounds, what it needs, citation —
by the decorator `metric`, and can be called by itself on arrays. `Scorer` applies several to
several fused images of one scene and computes what they share only once.
"""

from __future__ import annotations
