"""Two scenes made by code, for when the real *Clock* and *Pepsi* pairs are not to be had.

Each is two planes, an object before a background, drawn sharp and then photographed twice by
`datasets.defocus.composite`: focused on the one and on the other. The truth is the picture
with both in focus; nothing is noisy. They resemble the real pairs in kind and size, not in content.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from datasets._base import SceneImages
from datasets._canvas import SCALE, Canvas, Plane, Region, clouds, wood
from datasets._photos import known_scene
from datasets._seeds import generator
from datasets.defocus import composite

SIZE = 512
#: Circles of confusion in pixels: of the background, of the object.
CLOCK_RADII = (4.5, 5.0)
CAN_RADII = (4.0, 5.5)

TITLES = (
    *("OPTICS", "Depth of Field", "LENSES", "Atlas of Mosses", "Signals", "GARDEN BIRDS"),
    *("Fourier", "The Aperture", "WAVES", "Letters", "NORTH", "Field Notes", "Geometry"),
    *("TIDES", "Kernel", "A Short Walk", "PRISM", "Harbours", "MAPS", "Still Life", "Grain"),
    *("EDGES", "Winter Apples", "TWO RIVERS", "Clouds", "The Dial", "COLOUR", "Night Trains"),
    *("SALT", "Small Engines", "Twelve Rooms", "ECHO", "On Walking", "FERNS", "Lanterns"),
    *("Knots", "THE ISLAND", "Sketches", "Granite", "PARALLAX", "Slow Rain", "Botany"),
)
PAGE = (
    "A camera lens brings one distance to a point; whatever lies nearer",
    "or farther is drawn as a small disk, the circle of confusion. The",
    "wider the aperture, the larger that disk and the thinner the slab",
    "of space that looks sharp. A microscopist who needs the whole of a",
    "thick specimen, or a sensor that watches a long corridor, cannot",
    "stop down without losing light. Two or more pictures are taken",
    "instead, each focused on another plane, and what is sharp in each",
    "is put together. The hard part is the border: there the blur of",
    "the near object hides the far one, and no picture shows both. A",
    "good rule decides by contrast where contrast speaks, and keeps",
    "quiet where it does not. Flat regions say nothing about focus;",
    "their neighbours must answer for them. Noise, a change of light",
    "between the exposures, and a breath of motion are the rest of the",
    "trouble, and the reason why no single rule wins on every scene.",
    "What follows compares seven rules on the same nine pictures, with",
    "the sharp scene known, so that the error can be measured in level",
    "rather than in opinion. The table gives the mean over the border",
    "band and over the interior, and the time that each rule needs.",
    "Readers in a hurry may go to the last column.",
)


def clock_scene() -> SceneImages:
    """An alarm clock before a bookcase; gray, 512 x 512."""
    return _photograph(_bookcase(), _alarm_clock(), CLOCK_RADII)


def can_scene() -> SceneImages:
    """A drinks can before a printed page; gray, 512 x 512."""
    return _photograph(_page(), _can(), CAN_RADII)


def _photograph(back: Canvas, front: Canvas, radii: tuple[float, float]) -> SceneImages:
    """Focused on the object first, then on the background."""
    layers = [back.finish(), front.finish()]
    return known_scene(
        composite(layers, (radii[0], 0)),
        composite(layers, (0, radii[1])),
        truth=composite(layers, (0, 0)),
        mask=layers[1][1] >= 0.5,
    )


def _lamp(x: float, y: float, reach: float, low: float) -> Plane:
    """Light falling off from a point, 1 there and not below `low`."""
    rows, columns = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    away = ((columns - x) ** 2 + (rows - y) ** 2) / reach**2
    return (low + (1 - low) / (1 + away)).astype(np.float32)


def _ball(region: Region, cx: float, cy: float, radius: float) -> Plane:
    """Polished metal ball: diffuse light from the upper left, sky and ground mirrored in it."""
    nx, ny = (region.x - cx) / radius, (region.y - cy) / radius
    nz = np.sqrt(np.clip(1 - nx**2 - ny**2, 0, 1))
    towards = np.clip(-0.5 * nx - 0.6 * ny + 0.62 * nz, 0, 1)
    mirror = 0.16 * np.tanh(9 * (-ny - 0.12)) + 0.05 * np.sin(7 * nx + 2)
    return np.clip(0.16 + 0.42 * towards + mirror + 0.9 * towards**28, 0, 1).astype(np.float32)


def _bookcase() -> Canvas:
    canvas, rng = Canvas(SIZE), generator("stand-in", "bookcase")
    whole = canvas.box(-1, -1, SIZE + 1, SIZE + 1)
    shape = whole.cover.shape
    canvas.paint(whole, 0.16 * wood(rng, shape, upright=True))
    titles = iter([*rng.permutation(TITLES).tolist(), *rng.permutation(TITLES).tolist()])
    for floor, ceiling in ((196, 18), (412, 214), (640, 432)):
        _row_of_books(canvas, rng, titles, floor, ceiling)
    for top in (-4, 196, 412):
        board = canvas.box(-2, top, SIZE + 2, top + 17)
        canvas.shadow(canvas.box(-2, top + 17, SIZE + 2, top + 27), 0.55, 5)
        edge = 1 - 0.22 * np.abs((board.y - top - 8) / 9) ** 3
        canvas.paint(board, 0.5 * edge * wood(rng, board.cover.shape))
    canvas.light(1.22 * _lamp(120, 60, 420, 0.35))
    return canvas


def _row_of_books(
    canvas: Canvas, rng: np.random.Generator, titles: Iterator[str], floor: float, ceiling: float
) -> None:
    left = -6.0
    while left < SIZE:
        width = float(rng.uniform(17, 38))
        if rng.random() < 0.06:
            left += 0.6 * width  # a gap on the shelf
            continue
        top = ceiling + float(rng.uniform(4, 46))
        _book(canvas, rng, next(titles), (left, top, left + width, floor))
        left += width + float(rng.uniform(0.3, 1.2))


def _book(
    canvas: Canvas, rng: np.random.Generator, title: str, box: tuple[float, float, float, float]
) -> None:
    left, top, right, floor = box
    width, height = right - left, floor - top
    spine = canvas.box(left, top, right, floor, 2.2)
    bulge = (spine.x - (left + right) / 2) / (width / 2)
    round_off = 1.08 - 0.55 * np.abs(bulge + 0.15) ** 2.6
    cloth = 1 + 0.05 * clouds(rng, spine.cover.shape, (4, 4), 2)
    tone = float(rng.choice([0.14, 0.22, 0.33, 0.46, 0.6, 0.74]) * rng.uniform(0.9, 1.1))
    canvas.paint(spine, tone * round_off * cloth)
    ink = 0.85 if tone < 0.4 else 0.08
    for place in rng.choice([0.06, 0.1, 0.86, 0.9, 0.94], size=2, replace=False):
        y = top + place * height
        band = canvas.box(left, y, right, y + float(rng.uniform(1.2, 4)))
        turned = np.abs((band.x - (left + right) / 2) / (width / 2)) ** 2.6
        canvas.paint(band, ink * (1.08 - 0.55 * turned), 0.8)
    size = min(0.62 * width, 1.15 * height / len(title), 19)
    canvas.write(title, (left + right) / 2, top + 0.45 * height, size, ink, angle=90, opacity=0.9)
    groove = canvas.box(right - 0.8, top + 2, right + 0.8, floor)
    canvas.paint(groove, 0.03, 0.7)


def _alarm_clock() -> Canvas:
    canvas, rng = Canvas(SIZE), generator("stand-in", "alarm clock")
    cx, cy, radius = 214.0, 292.0, 142.0
    _table(canvas, rng, 452)
    canvas.shadow(canvas.disk(cx + 12, 486, 150, 9), 0.5, 9)
    for side in (-1, 1):
        canvas.shadow(canvas.disk(cx + side * 112 + 6, cy + 178, 17, 4), 0.6, 3)
    for side in (-1, 1):
        foot = canvas.stroke((cx + side * 78, cy + 112), (cx + side * 112, cy + 172), 22, 13)
        across = (foot.x - cx - side * 95) * 0.05 - (foot.y - cy - 142) * 0.02 * side
        canvas.paint(foot, np.clip(0.42 + 0.35 * np.cos(3 * across + 0.6), 0.08, 0.95))
        _bell(canvas, cx + side * 74, cy - 148, 46, side)
    _hammer(canvas, cx, cy - 150)
    _case(canvas, rng, cx, cy, radius)
    _dial(canvas, rng, cx, cy, 0.83 * radius)
    return canvas


def _table(canvas: Canvas, rng: np.random.Generator, top: float) -> None:
    slab = canvas.box(-2, top, SIZE + 2, SIZE + 2)
    depth = (slab.y - top) / (SIZE - top)
    canvas.paint(slab, (0.34 + 0.2 * depth) * wood(rng, slab.cover.shape))
    canvas.paint(canvas.box(-2, top, SIZE + 2, top + 2), 0.74, 0.6)


def _bell(canvas: Canvas, x: float, y: float, radius: float, side: int) -> None:
    stem = canvas.stroke((x - side * 10, y + 40), (x, y + 8), 7)
    canvas.paint(stem, 0.3)
    tilt = np.float32(0.32 * side)

    def dome(px: Plane, py: Plane) -> Plane:
        below = (py - y - 10) * np.cos(tilt) - (px - x) * np.sin(tilt)
        return np.maximum(np.hypot(px - x, py - y) - radius, below)

    region = canvas.shape((x - radius - 2, y - radius - 2, x + radius + 2, y + radius), dome)
    canvas.paint(region, _ball(region, x, y, radius * 1.02))
    knob = canvas.disk(x + side * 14, y - radius - 2, 6)
    canvas.paint(knob, _ball(knob, x + side * 14, y - radius - 2, 6.2))


def _hammer(canvas: Canvas, x: float, y: float) -> None:
    canvas.paint(canvas.stroke((x, y + 20), (x, y - 22), 4), 0.2)
    head = canvas.box(x - 11, y - 34, x + 11, y - 20, 3)
    canvas.paint(head, 0.16 + 0.6 * np.exp(-(((head.y - y + 30) / 4) ** 2)))
    arch = canvas.shape(
        (x - 70, y - 84, x + 70, y - 20),
        lambda px, py: np.abs(np.hypot((px - x) / 1.3, py - y + 30) - 46) - 2.6,
    )
    inward = np.hypot((arch.x - x) / 1.3, arch.y - y + 30) - 46
    canvas.paint(arch, np.clip(0.55 - 0.16 * inward, 0.1, 0.95))


def _case(canvas: Canvas, rng: np.random.Generator, cx: float, cy: float, radius: float) -> None:
    """A turned metal ring: light by the angle, brushed along the circle."""
    region = canvas.disk(cx, cy, radius)
    away = np.hypot(region.x - cx, region.y - cy) / radius
    angle = np.arctan2(region.y - cy, region.x - cx)
    slope = np.clip((away - 0.91) / 0.09, -1, 1)
    light = np.cos(angle - np.float32(-2.25)) * slope
    brushed = 0.02 * np.sin(900 * away + 3 * clouds(rng, away.shape, (300, 300), 2))
    shine = 0.5 * np.exp(-(((slope - 0.35) / 0.22) ** 2)) * np.clip(np.cos(angle + 2.25), 0, 1) ** 3
    canvas.paint(region, np.clip(0.42 + 0.36 * light + shine + brushed, 0.03, 1))


def _dial(canvas: Canvas, rng: np.random.Generator, cx: float, cy: float, radius: float) -> None:
    rim = canvas.disk(cx, cy, radius + 3)
    canvas.paint(rim, 0.07)
    face = canvas.disk(cx, cy, radius)
    away = np.hypot(face.x - cx, face.y - cy) / radius
    stains = clouds(rng, away.shape, (400, 400), 2)
    paper = 0.83 + 0.012 * clouds(rng, away.shape, (5, 5), 3) + 0.02 * stains
    inner = np.hypot(face.x - cx - 7, face.y - cy - 9) / radius
    canvas.paint(face, paper - 0.32 * np.clip((inner - 0.86) / 0.2, 0, 1) ** 1.5)
    for minute in range(60):
        turn = 2 * np.pi * minute / 60
        on_hour = minute % 5 == 0
        tick = canvas.stroke(
            _on(cx, cy, 0.955 * radius, turn),
            _on(cx, cy, (0.87 if on_hour else 0.915) * radius, turn),
            3.2 if on_hour else 1.1,
        )
        canvas.paint(tick, 0.08)
    for hour in range(1, 13):
        x, y = _on(cx, cy, 0.72 * radius, 2 * np.pi * hour / 12)
        canvas.write(str(hour), x, y, 25, 0.07)
    canvas.write("MERIDIAN", cx, cy - 0.36 * radius, 10, 0.2)
    canvas.write("SEVENTEEN JEWELS", cx, cy + 0.36 * radius, 5.5, 0.25)
    _hands(canvas, cx, cy, radius)
    glare = np.clip(1 - np.hypot((face.x - cx + 50) / 70, (face.y - cy + 62) / 34), 0, 1)
    canvas.paint(face, 0.97, 0.2 * glare.astype(np.float32))


def _hands(canvas: Canvas, cx: float, cy: float, radius: float) -> None:
    hands = ((10.16 / 12, 0.5, 8.0, 4.0), (9.6 / 60, 0.78, 5.5, 2.2), (36 / 60, 0.86, 1.6, 0.9))
    for part, reach, width, tip in hands:
        turn = 2 * np.pi * part
        tail, end = _on(cx, cy, -0.14 * radius, turn), _on(cx, cy, reach * radius, turn)
        below = canvas.stroke((tail[0] + 3, tail[1] + 4), (end[0] + 3, end[1] + 4), width, tip)
        canvas.shadow(below, 0.45, 2)
        canvas.paint(canvas.stroke(tail, end, width, tip), 0.06)
    hub = canvas.disk(cx, cy, 6)
    canvas.paint(hub, _ball(hub, cx, cy, 6.2))


def _on(cx: float, cy: float, away: float, turn: float) -> tuple[float, float]:
    """The point at `turn` (0 at twelve, clockwise) on a circle."""
    return cx + away * float(np.sin(turn)), cy - away * float(np.cos(turn))


def _page() -> Canvas:
    canvas, rng = Canvas(SIZE), generator("stand-in", "page")
    whole = canvas.box(-1, -1, SIZE + 1, SIZE + 1)
    fibres = clouds(rng, whole.cover.shape, (3, 5), 3)
    canvas.paint(whole, 0.8 + 0.012 * fibres + 0.015 * clouds(rng, fibres.shape, (500, 400), 2))
    canvas.write("ON SHARPNESS", 262, 34, 33, 0.08)
    canvas.write("and how to come by more of it than one lens gives", 262, 66, 14, 0.2)
    canvas.paint(canvas.box(20, 84, 504, 85.6), 0.15)
    for line, text in enumerate(PAGE):
        ink = 0.1 + 0.03 * float(rng.random())
        canvas.write(text, 28, 106 + 21.4 * line, 15.2, ink, left=True)
    canvas.light(1.05 * _lamp(360, 150, 520, 0.42))
    return canvas


def _can() -> Canvas:
    canvas, rng = Canvas(SIZE), generator("stand-in", "can")
    cx, half, top, bottom = 178.0, 104.0, 96.0, 470.0
    _table(canvas, rng, 462)

    def body(x: Plane, y: Plane) -> Plane:
        neck = np.clip((top + 34 - y) / 34, 0, 1) ** 1.7 * 15
        foot = np.clip((y - bottom + 26) / 26, 0, 1) ** 1.7 * 14
        side = np.abs(x - cx) - (half - neck - foot)
        bow = 16 * np.sqrt(np.clip(1 - ((x - cx) / half) ** 2, 0, 1))
        return np.maximum(side, np.maximum(top - y, y - bottom + 16 - bow))

    region = canvas.shape((cx - half - 2, top - 2, cx + half + 2, bottom + 4), body)
    canvas.shadow(canvas.disk(cx + 40, 470, 120, 14), 0.5, 6)
    canvas.paint(region, _label(region, rng, cx, half))

    def flat(x: Plane) -> Plane:
        return (cx + half * np.arcsin(np.clip((x - cx) / half, -0.995, 0.995))).astype(np.float32)

    canvas.write("Zest", cx, 232, 84, 0.96, squeeze=flat)
    canvas.write("SPARKLING LEMON SODA", cx, 300, 13.5, 0.93, squeeze=flat)
    canvas.write("330 ml  ·  11.2 fl oz", cx, 424, 11, 0.9, squeeze=flat)
    _barcode(canvas, cx, half)
    _gloss(canvas, region, cx, half)
    _lid(canvas, cx, top, half - 15)
    return canvas


def _label(region: Region, rng: np.random.Generator, cx: float, half: float) -> Plane:
    """The print, before light: a dark field, pale waves and drops."""
    across = np.arcsin(np.clip((region.x - cx) / half, -1, 1))
    wave = 352 + 20 * np.sin(1.7 * across + 0.6) + 0 * region.y
    second = wave + 15 + 5 * np.sin(2.6 * across)
    soft = np.float32(SCALE)
    pale = np.clip(0.5 + (region.y - wave) * soft, 0, 1)
    pale = pale * np.clip(0.5 + (second - region.y) * soft, 0, 1)
    low = np.clip(0.5 + (region.y - second - 9) * soft, 0, 1)
    print_ = 0.24 + 0.62 * pale + 0.2 * low
    for _ in range(70):
        x, y = float(rng.uniform(-1.35, 1.35)), float(rng.uniform(135, 340))
        size = float(rng.uniform(1.2, 4.2))
        away = np.hypot((across - x) * half, region.y - y)
        print_ = print_ + 0.22 * np.clip(1 - np.abs(away - size) * 1.4, 0, 1)
    metal = (region.y < 131) | (region.y > 449)
    grain = 0.015 * clouds(rng, region.cover.shape, (700, 3), 2)
    return np.where(metal, 0.62, np.clip(print_, 0, 0.95)).astype(np.float32) + grain


def _gloss(canvas: Canvas, region: Region, cx: float, half: float) -> None:
    """Light on the cylinder: fall-off to both sides, a window's bright stripe, a rim light."""
    u = np.clip((region.x - cx) / half, -1, 1) + 0 * region.y
    shade = 1 - np.clip(0.98 * np.cos(np.arcsin(u) + 0.42), 0, 1)
    canvas.paint(region, 0.02, (0.78 * shade).astype(np.float32))
    stripe = np.exp(-(((u + 0.55) / 0.075) ** 2)) + 0.35 * np.exp(-(((u + 0.3) / 0.03) ** 2))
    rim = 0.5 * np.exp(-(((u - 0.93) / 0.04) ** 2))
    fade = np.clip((region.y - 96) / 40, 0, 1) * np.clip((470 - region.y) / 50, 0, 1)
    canvas.paint(region, 0.98, (0.62 * (stripe + rim) * fade).astype(np.float32))


def _barcode(canvas: Canvas, cx: float, half: float) -> None:
    rng = generator("stand-in", "barcode")
    turn = 0.78
    while turn < 1.12:
        step = float(rng.choice([0.007, 0.014, 0.021]))
        x0, x1 = cx + half * np.sin(turn), cx + half * np.sin(turn + step)
        canvas.paint(canvas.box(x0, 388, x1, 420), 0.95)
        turn += step + float(rng.choice([0.007, 0.014]))


def _lid(canvas: Canvas, cx: float, top: float, half: float) -> None:
    rim = canvas.disk(cx, top, half, 20)
    angle = np.arctan2((rim.y - top) * 5, rim.x - cx)
    canvas.paint(rim, np.clip(0.6 + 0.3 * np.cos(angle + 2.4) + 0.12 * np.cos(5 * angle), 0.1, 1))
    well = canvas.disk(cx, top + 1.5, half - 7, 15.5)
    fall = (well.y - top + 14) / 30
    canvas.paint(well, np.clip(0.3 + 0.38 * fall + 0.06 * np.cos((well.x - cx) / 9), 0, 1))
    tab = canvas.disk(cx + 8, top + 1, 27, 6)
    canvas.shadow(canvas.disk(cx + 10, top + 5, 27, 5), 0.4, 1.5)
    canvas.paint(tab, 0.66 + 0.2 * np.cos((tab.x - cx) / 14))
    canvas.paint(canvas.disk(cx + 20, top + 1, 9, 2.8), 0.2)
    canvas.paint(canvas.disk(cx - 4, top + 0.6, 4, 1.5), 0.35)
