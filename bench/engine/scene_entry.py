"""What a run knows of a scene: its entry in the manifest, and notes on its pixels, kept once."""

from __future__ import annotations

from collections.abc import Mapping

from bench.core.fingerprint import digest, modules_fingerprint
from bench.store.manifest import SceneEntry
from bench.store.records import FusionRecord
from bench.store.store import Store
from bench.workers.scene_loader import SceneFacts
from bench.workers.worker import Worker
from datasets import Scene

#: The code that notes on the pixels of a scene are made by.
NOTES_CODE = ("datasets.alignment.motion", "datasets.alignment.tiles", "datasets.notes")


def entry_of(scene: Scene, facts: SceneFacts) -> SceneEntry:
    """The entry of a scene that was read."""
    return SceneEntry(
        dataset=scene.dataset,
        scene=scene.id,
        title=scene.title,
        origin=scene.origin,
        note=scene.note,
        selection=scene.selected,
        status=facts.status,
        message=facts.message,
        fingerprint=facts.fingerprint,
        sources=facts.sources,
        height=facts.height,
        width=facts.width,
        channels=facts.channels,
        reference=facts.reference,
        bits=scene.bits,
        notes=facts.notes,
        changes=tuple(change.name for change in scene.changes),
        align_s=round(facts.align_s, 4),
    )


def image_notes(records: Mapping[str, FusionRecord]) -> list[str]:
    """The notes on fused images that existed already, each with the methods that it is about.

    Parameters
    ----------
    records : mapping
        The records of a scene by the name of their method.

    Examples
    --------
    >>> from bench.engine.scene_entry import image_notes
    >>> from bench.store.records import FusionRecord
    >>> copied = FusionRecord("ok", note="fused from copies")
    >>> image_notes({"gf": FusionRecord("ok"), "a": copied, "b": copied, "c": copied})
    ['a and 2 more: fused from copies']
    """
    methods: dict[str, list[str]] = {}
    for name, record in records.items():
        if record.note:
            methods.setdefault(record.note, []).append(name)
    return [
        f"{names[0]}{f' and {len(names) - 1} more' if names[1:] else ''}: {note}"
        for note, names in methods.items()
    ]


def pixel_notes(worker: Worker, store: Store, scene: str, *, compute: bool) -> tuple[str, ...]:
    """Notes on the pixels of the open scene, computed once and then kept in the store.

    Parameters
    ----------
    worker : Worker
        Has the scene open.
    store : Store
        Where the notes are kept.
    scene : str
        Hash of its pixels.
    compute : bool
        Whether notes that are not stored are computed.
    """
    code = modules_fingerprint(NOTES_CODE)
    key = digest({"kind": "scene notes", "scene": scene, "code": code})
    stored = (store.get(key) or {}).get("notes")
    if isinstance(stored, list) and all(isinstance(note, str) for note in stored):
        return tuple(stored)
    notes = worker.notes() if compute else None
    if notes is None:
        return ()
    store.put(key, {"scene": scene, "notes": list(notes)})
    return notes
