"""What intake keeps: files taken in, and what people said headings and names mean. Each with its event in the trail."""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings
from django.db import transaction

from ledgers.intake_models import HeadingMeaning, IntakeFile, NameAlias
from linfen_water import trail
from linfen_water.models import User


def origin(data: bytes, name: str) -> str:
    """How events name the file that they come from."""
    return f"import {hashlib.sha256(data).hexdigest()[:16]} {Path(name).name}".strip()


def headings(slug: str) -> dict[str, str]:
    return dict(HeadingMeaning.objects.filter(ledger=slug).values_list("heading", "column"))


def aliases() -> dict[tuple[str, str], str]:
    return {(kind, text): target for kind, text, target in NameAlias.objects.values_list("kind", "text", "target")}


@transaction.atomic
def remember(slug: str, *, meanings: Mapping[str, str], names: Mapping[tuple[str, str], str], by: User | None) -> None:
    """Keep what the person said, for the next table: `{plain heading: column}`, `{(kind, text): full name}`."""
    for heading, column in meanings.items():
        old = HeadingMeaning.objects.filter(ledger=slug, heading=heading[:80]).first()
        if old is None or old.column != column:
            row, _ = HeadingMeaning.objects.update_or_create(ledger=slug, heading=heading[:80], defaults={"column": column, "by": by})
            changes = {heading[:80]: [old.column if old else None, column]}
            trail.record(action="intake.heading", subject=row, by=by, changes=changes)
    for (kind, text), target in names.items():
        before = NameAlias.objects.filter(kind=kind, text=text[:120]).first()
        if before is None or before.target != target:
            alias, _ = NameAlias.objects.update_or_create(kind=kind, text=text[:120], defaults={"target": target[:120], "by": by})
            changes = {text[:120]: [before.target if before else None, target]}
            trail.record(action="intake.alias", subject=alias, by=by, changes=changes)


def keep_file(slug: str, *, data: bytes, name: str, reason: str, rows: int, cells: int, left_out: int, by: User | None) -> IntakeFile:
    """Keep a table that was taken in: on disk before the row that names it."""
    digest = hashlib.sha256(data).hexdigest()
    folder = Path(settings.MEDIA_ROOT) / "imports"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder / digest).exists():
        file = tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False)  # noqa: SIM115 - closed before it is renamed
        with file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(folder / digest)
    kept = IntakeFile.objects.create(
        ledger=slug,
        sha256=digest,
        name=Path(name).name[:120],
        size=len(data),
        reason=reason,
        rows=rows,
        cells=cells,
        left_out=left_out,
        by=by,
    )
    said = {"name": kept.name, "sha256": digest, "ledger": slug, "rows": rows, "cells": cells}
    trail.record(action="intake.file", subject=kept, by=by, changes={key: [None, value] for key, value in said.items()}, reason=reason)
    return kept
