"""Rows as extracted to rows that can be used: split, made into views, validated, staged as a whole or not at all."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import polars as pl

from expectations import docs, history, quarantine
from expectations.report import CheckReport, Part
from expectations.split import split_rows, unfit
from expectations.suite import Declaration, of_stream, of_view
from expectations.types import read_as
from feature_repo import versions
from feature_repo.column import View
from feature_repo.errors import DataError
from feature_repo.extract import manifests, raw_rows, silent
from feature_repo.features.texts import Encode, home_encode
from feature_repo.publish import mark_staged
from feature_repo.settings import Settings
from feature_repo.sources.stream import RECORDED_AT, Stream
from feature_repo.sources.streams import STREAMS

CHECKS, STAGED, DOCS = "checks", "staged", "docs/gx"
VERSIONS_KEPT = 3

Progress = Callable[[str], None]


def check(
    settings: Settings,
    as_of: datetime | None = None,
    progress: Progress = silent,
    *,
    views: Sequence[View] | None = None,
) -> CheckReport:
    """Split every stream's rows, compute the views from what is accepted, split these, validate all, and stage them.

    as_of: only rows recorded before. views: None for the platform's own.
    What is staged is home/staged/{streams,views}/<name>.parquet; it changes in one step and only when the check passes.
    Rejected rows go to home/quarantine/<run> and to the platform's tables.
    Raises DataError for a column that was dropped or retyped at its source, for an expectation that fails, and for
    more rejected rows than settings.rejected_share; what was staged before then stays.
    """
    started = datetime.now(UTC)
    folder, run = settings.root / CHECKS, f"{started:%Y%m%dT%H%M%S.%fZ}"
    with versions.lock(settings.root / "run" / "check.lock"):
        raw = {stream: raw_rows(settings, stream, as_of) for stream in STREAMS}
        _check_raw(raw)
        with versions.making(folder, run) as draft:
            encode = home_encode(settings.root, settings.embedding_model)
            split = chain(_streams(settings, raw, as_of, draft), _views(draft, views, encode))
            parts = _parts(settings, run, split, progress)
            report = _validated(settings, run, parts, as_of, draft, progress)
            _check_report(report)
            mark_staged(draft, as_of or _last(settings) or started)
        versions.swap(folder, run)
        versions.link(settings.root / STAGED, f"{CHECKS}/{versions.CURRENT}")
        versions.prune(folder, VERSIONS_KEPT)
    history.record(settings, report, as_of, started)
    return report


def _last(settings: Settings) -> datetime | None:
    """The end of the last window that was extracted."""
    return max((each.until for each in manifests(settings)), default=None)


def _check_raw(raw: Mapping[Stream, pl.DataFrame]) -> None:
    """Refuse columns that are gone or of another type before anything is computed."""
    wrong = [f"{stream.place}: {each}" for stream, frame in raw.items() for each in unfit(frame, stream.fields)]
    if wrong:
        raise DataError("; ".join(wrong))
    if not any(frame.height for frame in raw.values()):
        raise DataError("check: no stream has a row, run `talentml ingest` first")


def _parts(settings: Settings, run: str, split: Iterable[tuple[Part, pl.DataFrame]], progress: Progress) -> list[Part]:
    """The parts, as they are made; their rejected rows go into quarantine."""
    quarantine.prune(settings)
    parts = []
    for part, rejected in split:
        quarantine.keep(settings, run, part.declared, rejected)
        progress(f"{part.declared.title}: {part.accepted:,} rows accepted, {part.rejected:,} rejected")
        parts.append(part)
    return parts


def _streams(
    settings: Settings, raw: Mapping[Stream, pl.DataFrame], as_of: datetime | None, draft: Path
) -> Iterator[tuple[Part, pl.DataFrame]]:
    for stream, frame in raw.items():
        windows = [each for each in manifests(settings, stream) if as_of is None or each.since < as_of]
        known_by = max((each.finished_at for each in windows), default=None)
        since = max((each.since for each in windows), default=None)
        yield _part(of_stream(stream), frame, draft, known_by, since)


def _views(draft: Path, views: Sequence[View] | None, encode: Encode) -> Iterator[tuple[Part, pl.DataFrame]]:
    from feature_repo.features import VIEWS
    from feature_repo.ingest import view_frames

    accepted = {stream.name: draft / of_stream(stream).file for stream in STREAMS}
    wanted = [view for view in (VIEWS if views is None else views) if view.rows is not None]
    for view, frame in view_frames(accepted, wanted, encode):
        yield _part(of_view(view), frame, draft)


def _part(
    declared: Declaration,
    frame: pl.DataFrame,
    draft: Path,
    known_by: datetime | None = None,
    since: datetime | None = None,
) -> tuple[Part, pl.DataFrame]:
    """Split a frame, write what is accepted into the draft; returns the part and the rejected rows."""
    split = split_rows(frame, declared.fields, declared.key, known_by=known_by)
    accepted, rejected = split.accepted, split.rejected
    path = draft / declared.file
    path.parent.mkdir(parents=True, exist_ok=True)
    accepted.write_parquet(path)
    bad = _count_since(rejected, since)
    part = Part(
        declared=declared,
        extracted=split.extracted,
        accepted=accepted.height,
        rejected=rejected.height,
        reasons=split.counts,
        latest=(_count_since(accepted, since) + bad, bad),
        blank=frozenset(name for name in accepted.columns if accepted[name].null_count() == accepted.height),
    )
    return part, rejected


def _count_since(frame: pl.DataFrame, since: datetime | None) -> int:
    """How many rows were recorded from an instant on."""
    if since is None:
        return 0
    recorded = read_as(datetime, pl.col(RECORDED_AT.name), frame.schema[RECORDED_AT.name])
    return frame.filter(recorded >= since).height


def _validated(
    settings: Settings, run: str, parts: list[Part], as_of: datetime | None, draft: Path, progress: Progress
) -> CheckReport:
    """Run the expectations over the draft's files and publish their pages."""
    progress(f"validating {len(parts)} tables with Great Expectations")
    root = settings.root / DOCS
    outcomes = docs.validate({part.declared: part.present for part in parts}, draft, root, run)
    judged = tuple(replace(part, outcome=outcomes[part.declared]) for part in parts)
    report = CheckReport(
        run=run,
        as_of=as_of.isoformat() if as_of else None,
        parts=judged,
        docs=docs.index(root),
        staged=settings.root / STAGED,
        quarantine=quarantine.folder(settings, run),
        faults=tuple(fault for part in judged for fault in part.faults(settings.rejected_share)),
    )
    docs.publish(report, root)
    return report


def _check_report(report: CheckReport) -> None:
    """Refuse what cannot be used; the draft is not published then."""
    if report.faults:
        rejected = f" Rejected rows: {report.quarantine}." if report.quarantine.exists() else ""
        raise DataError(f"check {report.run}: {'; '.join(report.faults)}.{rejected} Data Docs: {report.docs}")
