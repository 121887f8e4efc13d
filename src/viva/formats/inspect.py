"""Inspect logs: ``.eval`` archives and ``.json`` logs.

Layout: https://inspect.aisi.org.uk/eval-logs.html. An archive holds ``header.json`` (or, where the
run broke off, ``_journal/start.json``) and one ``samples/*.json`` per sample and epoch; newer
ones are compressed with zstd, which Python's zipfile reads from 3.14 on.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from viva._files import LARGEST_DOCUMENT, parse_json
from viva.errors import InputError
from viva.formats._items import canonical, item_of
from viva.formats._own import MARK, add_own
from viva.formats._reading import Opened, Reading
from viva.formats._values import filled_text, identifier_or_none, mapping, number, whole
from viva.records import Item

__all__ = ["COLUMNS", "matches", "read"]

COLUMNS = (("eval",), ("samples",))
"""Members of a JSON log."""

_ZSTD = 93
_MOST = 2**34
"""Bytes of all samples of one archive, unpacked: beyond it the archive is taken for a bomb."""


def matches(opened: Opened) -> bool:
    """Whether the file is an archive of samples, or a JSON log."""
    if opened.archive:
        return opened.path is not None and bool(_members(opened.path))
    described = mapping(mapping(opened.first).get("eval"))
    return "model" in described and "task" in described


def read(opened: Opened, reading: Reading) -> None:
    """Every sample of the log."""
    if opened.archive and opened.path is not None:
        head, samples = _archive(opened.path)
    else:
        head = opened.first
        listed = head.get("samples")
        if not isinstance(listed, list) or not listed:
            raise InputError(
                "the log holds no samples", where=opened.name, mend="Log with --log-samples"
            )
        samples = iter(listed)
    described = mapping(head.get("eval"))
    model, task = described.get("model"), described.get("task")
    if not isinstance(model, str) or not isinstance(task, str):
        raise InputError(
            "the log names no model or task", where=opened.name, mend="Run the evaluation again"
        )
    benchmark = canonical(task.rsplit("/", 1)[-1])
    own_task = task.startswith("viva/")  # of viva.inspect_tasks: ids are those of the benchmark
    method = filled_text(mapping(described.get("task_args")).get("method")) if own_task else None
    for row, sample in enumerate(samples, 1):
        if not isinstance(sample, Mapping):
            reading.leave_out(row, None, "row is incomplete")
            continue
        common = {"benchmark": benchmark, "model": reading.model or model, "method": method}
        _read_sample(row, sample, common, reading, counted=not own_task)


def _read_sample(
    row: int,
    sample: Mapping[str, Any],
    common: dict[str, Any],
    reading: Reading,
    *,
    counted: bool,
) -> None:
    given = identifier_or_none(sample.get("id"))
    if given is None:
        return reading.leave_out(row, None, "no item_id")
    resolve = _resolver(mapping(sample.get("attachments")))
    own = mapping(mapping(sample.get("metadata")).get(MARK))
    if own:
        replies = mapping(sample.get("output")).get("choices")
        reply = mapping(replies[0] if isinstance(replies, list) and replies else None)
        text, reasoning = _content(mapping(reply.get("message")).get("content"), resolve)
        question = _question(sample.get("input"), resolve)
        options = sample.get("choices")
        return add_own(
            row, own, reading, question=question, options=options, text=text, reasoning=reasoning
        )
    # Whole numbers are positions that Inspect counts from 1: not the ids of the benchmark.
    item_id = f"sample-{given}" if counted and given.isdigit() else given
    benchmark = common["benchmark"]
    choices = sample.get("choices")
    item = item_of(
        benchmark,
        item_id,
        _question(sample.get("input"), resolve),
        choices if isinstance(choices, list) and choices else None,
        sample.get("target"),
    )
    if isinstance(item, str):
        return reading.leave_out(row, item_id, item)
    if isinstance(item, Item):
        item_id = reading.item(item)
    epoch = whole(sample.get("epoch"))
    common = common | {
        "item_id": item_id,
        "sample": max(epoch - 1, 0) if epoch is not None else 0,
        "seconds": number(sample.get("working_time", sample.get("total_time"))),
    }
    error = sample.get("error")
    if error is not None:
        message = error.get("message") if isinstance(error, Mapping) else error
        return reading.add(row, **common, error=str(message or "error"))
    output = mapping(sample.get("output"))
    replies = output.get("choices")
    reply = mapping(replies[0] if isinstance(replies, list) and replies else None)
    message = reply.get("message")
    if not isinstance(message, Mapping):
        return reading.add(row, **common, error=str(output.get("error") or "no output"))
    text, reasoning = _content(message.get("content"), resolve)
    decided = mapping(mapping(sample.get("store")).get("viva_answer"))
    if not counted and decided.get("decided") is True:
        prediction = filled_text(decided.get("prediction"))
        return reading.add(row, **common, prediction=prediction, already_read=True)
    usage = mapping(output.get("usage"))
    stop = reply.get("stop_reason")
    return reading.add(
        row,
        **common,
        text=text,
        reasoning=reasoning,
        finish_reason=stop if isinstance(stop, str) else None,
        input_tokens=whole(usage.get("input_tokens")),
        output_tokens=whole(usage.get("output_tokens")),
    )


def _resolver(attachments: Mapping[str, Any]) -> Callable[[Any], str]:
    def resolve(text: Any) -> str:
        if not isinstance(text, str):
            return ""
        if text.startswith("attachment://"):
            found = attachments.get(text.removeprefix("attachment://"))
            return found if isinstance(found, str) else ""
        return text

    return resolve


def _question(given: Any, resolve: Callable[[Any], str]) -> str:
    """The input as it stands in the data set: a text, or the last user message of a chat."""
    if isinstance(given, list):
        said = [m for m in given if isinstance(m, Mapping) and m.get("role") == "user"]
        return _content(said[-1].get("content"), resolve)[0] if said else ""
    return resolve(given)


def _content(content: Any, resolve: Callable[[Any], str]) -> tuple[str, str | None]:
    """Text and reasoning of a message, whose content is a text or a list of parts."""
    if not isinstance(content, list):
        return resolve(content), None
    parts = [p for p in content if isinstance(p, Mapping)]
    texts = [resolve(p.get("text")) for p in parts if p.get("type") == "text"]
    thoughts = [resolve(p.get("reasoning")) for p in parts if p.get("type") == "reasoning"]
    return "\n".join(t for t in texts if t), "\n".join(t for t in thoughts if t) or None


def _members(path: Path) -> list[zipfile.ZipInfo]:
    """The samples of an archive, in the order in which they were written."""
    try:
        with zipfile.ZipFile(path) as archive:
            return [
                info
                for info in archive.infolist()
                if info.filename.startswith("samples/") and info.filename.endswith(".json")
            ]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error):
        raise InputError(
            "is a broken archive", where=str(path), mend="Copy or download it again"
        ) from None


def _archive(path: Path) -> tuple[Mapping[str, Any], Iterator[Any]]:
    members = _members(path)
    if sum(info.file_size for info in members) > _MOST:
        raise InputError("unpacks to more than 16 GiB", where=str(path), mend="Split the run")
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        head = next((n for n in ("header.json", "_journal/start.json") if n in names), None)
        if head is None:
            raise InputError(
                "the log has no header", where=str(path), mend="Run the evaluation again"
            )
        header = _entry(path, archive.getinfo(head))
    if not isinstance(header, Mapping):
        raise InputError("the log has no header", where=str(path), mend="Run it again")
    return header, (_entry(path, info) for info in members)


def _entry(path: Path, info: zipfile.ZipInfo) -> Any:
    """One JSON document of the archive, bounded whatever its header claims."""
    where = f"{path}:{info.filename}"
    broken = InputError("is broken", where=where, mend="Copy or download the log again")
    try:
        with path.open("rb") as raw, zipfile.ZipFile(raw) as archive:
            if info.compress_type == _ZSTD:
                text = _zstd(raw, info, where)
            else:
                with archive.open(info) as stream:
                    text = stream.read(LARGEST_DOCUMENT + 1)
    except InputError:
        raise
    except (
        zipfile.BadZipFile,
        EOFError,
        OSError,
        RuntimeError,
        ValueError,
        zlib.error,
        struct.error,
    ):
        raise broken from None
    if len(text) > LARGEST_DOCUMENT:
        raise InputError("sample is larger than 512 MiB", where=where, mend="Leave it out")
    try:
        return parse_json(text.decode(), where=where)
    except UnicodeDecodeError:
        raise broken from None


def _zstd(raw: io.BufferedReader, info: zipfile.ZipInfo, where: str) -> bytes:
    """The bytes of a zstd entry; its local header is 30 bytes, a name and an extra field."""
    raw.seek(info.header_offset)
    header = raw.read(30)
    if header[:4] != b"PK\x03\x04":
        raise ValueError("no local header")
    name, extra = struct.unpack("<HH", header[26:30])
    raw.seek(name + extra, io.SEEK_CUR)
    packed = io.BytesIO(raw.read(info.compress_size))
    try:
        import zstandard
    except ImportError:
        raise InputError(
            "the log is compressed with zstd", where=where, mend="Install it: pip install zstandard"
        ) from None
    try:
        reader = zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(packed)
        text = reader.read(LARGEST_DOCUMENT + 1)
    except zstandard.ZstdError:
        raise ValueError("broken zstd") from None
    if len(text) <= LARGEST_DOCUMENT and zlib.crc32(text) != info.CRC:
        raise ValueError("wrong checksum")
    return text
