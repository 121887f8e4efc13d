"""Every defect of a file as a whole is one line that names the file, the row and the mend."""

from __future__ import annotations

import gzip
import json
import tracemalloc

import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viva._files import (
    parse_json,
    read_json,
    read_lines,
    read_rows,
    read_source,
    sha256,
)
from viva.errors import InputError


def rows_of(tmp_path, name, data, **bounds):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return list(read_rows(path, **bounds))


ROWS = [{"a": 1, "b": "é"}, {"a": 2, "b": None}]
LINES = '{"a": 1, "b": "é"}\n{"a": 2, "b": null}\n'


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.jsonl", LINES),
        ("x.ndjson", LINES),
        ("x.jsonl", LINES.replace("\n", "\r\n")),
        ("x.jsonl", "\n\n" + LINES + "\n  \n"),
        ("x.jsonl", LINES.rstrip("\n")),
        ("x.jsonl", LINES.encode("utf-8-sig")),
        ("x.jsonl", LINES.encode("utf-16")),
        ("x.jsonl", LINES.encode("utf-32")),
        ("x.json", LINES),
        ("x.csv", LINES),
        ("noname", LINES),
        ("x.jsonl.gz", gzip.compress(LINES.encode(), mtime=0)),
        ("unmarked", gzip.compress(LINES.encode(), mtime=0)),
        ("two-members.gz", b"".join(gzip.compress(x.encode(), mtime=0) for x in LINES.splitlines(True))),
        ("x.json", json.dumps(ROWS)),
        ("x.json", json.dumps(ROWS, indent=1)),
        ("x.jsonl", json.dumps(ROWS)),
        ("x.json", json.dumps({"a": {"0": 1, "1": 2}, "b": {"0": "é", "1": None}})),
        ("x.json", json.dumps({"a": {"0": 1, "1": 2}, "b": {"0": "é", "1": None}}, indent=1)),
        ("x.json", json.dumps({"a": [1, 2], "b": ["é", None]})),
    ],
)  # fmt: skip
def test_the_same_rows_whatever_the_file(tmp_path, name, data):
    assert [row for _, row in rows_of(tmp_path, name, data)] == ROWS


def test_rows_by_id_get_their_id(tmp_path):
    data = '{"7": {"q": "x"}, "8": {"q": "y", "id": "own"}}'
    assert rows_of(tmp_path, "x.json", data) == [
        (1, {"id": "7", "q": "x"}),
        (2, {"q": "y", "id": "own"}),
    ]


def test_lists_of_rows_by_name_are_not_columns(tmp_path):
    document = {"MedQA": [{"q": 1}], "MedMCQA": [{"q": 2}]}
    assert rows_of(tmp_path, "x.json", json.dumps(document)) == [(1, document)]


def test_numbers_that_are_none(tmp_path):
    rows = rows_of(tmp_path, "x.jsonl", '{"a": NaN, "b": -Infinity, "c": 1e999, "d": 1.5}')
    assert rows == [(1, {"a": None, "b": None, "c": None, "d": 1.5})]


def test_halves_of_surrogate_pairs_are_replaced(tmp_path):
    rows = rows_of(tmp_path, "x.jsonl", r'{"a": "\ud83d\ude00 \ud800!", "\udfff": 1}')
    assert rows == [(1, {"a": "😀 �!", "�": 1})]


def test_csv(tmp_path):
    long = "x" * 200_000  # the csv module's own limit is 128 KiB
    data = f'id,text,n\r\n1,"a ""b"",\r\nc",\r\n2,{long},5\r\n\r\n'
    assert rows_of(tmp_path, "x.csv", data) == [
        (2, {"id": "1", "text": 'a "b",\r\nc', "n": None}),
        (4, {"id": "2", "text": long, "n": "5"}),
    ]


@pytest.mark.parametrize(
    ("name", "data"),
    [("x.tsv", "a\tb\n1\t2,3\n"), ("x.csv", "a;b\n1;2,3\n"), ("x.txt", 'a,b\n1,"2,3"\n')],
)
def test_delimiters(tmp_path, name, data):
    assert rows_of(tmp_path, name, data) == [(2, {"a": "1", "b": "2,3"})]


def test_parquet(tmp_path):
    path = tmp_path / "x.parquet"
    pl.DataFrame({"a": [1.0, float("nan")], "o": [["x", "y"], None]}).write_parquet(path)
    expected = [(1, {"a": 1.0, "o": ["x", "y"]}), (2, {"a": None, "o": None})]
    assert list(read_rows(path)) == expected
    packed = tmp_path / "y.parquet.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert list(read_rows(packed)) == expected


DEFECTS = [
    ("empty.jsonl", b"", "is empty. Write it again"),
    ("blank.jsonl", b"  \n\n", "has no rows. Write it again"),
    ("blank.json.gz", gzip.compress(b""), "has no rows. Write it again"),
    ("header.csv", b"a,b\n", "has no rows. Write it again"),
    ("list.json", b"[]", "has no rows. Write it again"),
    (
        "cut.jsonl.gz",
        gzip.compress(b'{"a": 1}\n' * 5000)[:-9],
        "gzip is truncated. Copy or download it again",
    ),
    ("not.jsonl.gz", b'{"a": 1}\n', "is named .gz but is not gzip. Take .gz off its name"),
    (
        "broken.jsonl.gz",
        gzip.compress(b'{"a": 1}\n')[:10] + b"\xff" * 30,
        "gzip is broken. Copy or download it again",
    ),
    (
        "latin.jsonl",
        '{"a": "e"}\n{"a": "é"}\n'.encode("latin-1"),
        ":2: is not UTF-8 (byte 18). Convert it, for example: iconv -f WINDOWS-1252 -t UTF-8",
    ),
    (
        "latin.json",
        '[\n{"a": "é"}]'.encode("latin-1"),
        ":2: is not UTF-8 (byte 9). Convert it, for example: iconv -f WINDOWS-1252 -t UTF-8",
    ),
    (
        "latin.csv",
        "a,b\n1,é\n".encode("latin-1"),
        ":2: is not UTF-8 (byte 6). Convert it, for example: iconv -f WINDOWS-1252 -t UTF-8",
    ),
    (
        "nul.jsonl",
        b'{"a": 1}\n{"a": "\0"}\n',
        ":2: holds a NUL byte. It is not a text file, or a crash cut it: write it again",
    ),
    (
        "unmarked.jsonl",
        '{"a": 1}'.encode("utf-16-le"),
        ":1: is not UTF-8 but UTF-16 without a byte-order mark. "
        "Convert it: iconv -f UTF-16LE -t UTF-8",
    ),
    (
        "nul.jsonl",
        '{"a": "\0"}'.encode("utf-16"),
        ":1: holds a NUL byte. It is not a text file, or a crash cut it: write it again",
    ),
    (
        "broken.jsonl",
        b'{"a": 1}\n{"a": \n{"a": 3}\n',
        ":2: is not JSON: Expecting value, column 6 (the file ends too early). "
        "Mend or delete the row",
    ),
    (
        "broken.json",
        b'[\n{"a": 1},\n{"a" 2}\n]',
        ":3: is not JSON: Expecting ':' delimiter, column 6. Mend or delete the row",
    ),
    (
        "list.jsonl",
        b'{"a": 1}\n[2]\n',
        ":2: row is a list, not an object. "
        'Each row must be an object such as {"item_id": "1", ...}',
    ),
    (
        "texts.json",
        b'["x"]',
        ':1: row is text, not an object. Each row must be an object such as {"item_id": "1", ...}',
    ),
    (
        "deep.jsonl",
        b'{"a": 1}\n{"a": ' + b"[" * 200_000 + b"\n",
        ":2: JSON is nested deeper than 64 levels. Mend or delete the row",
    ),
    (
        "closed.jsonl",
        b'{"a": 1}\n{"a": ' + b"[" * 64 + b"]" * 64 + b"}\n",
        ":2: JSON is nested deeper than 64 levels. Mend or delete the row",
    ),
    (
        "deep.json",
        b"[" * 200_000,
        ":1: JSON is nested deeper than 64 levels. Mend or delete the row",
    ),
    (
        "huge.jsonl",
        b'{"a": 1}\n{"a": ' + b"9" * 9999 + b"}\n",
        ":2: holds a number of thousands of digits. Mend or delete the row",
    ),
    ("twice.csv", b"a,b,a\n1,2,3\n", ":1: column 'a' occurs twice. Rename one"),
    (
        "wide.csv",
        b'a,b\n1,"x\ny"\n1,2,3\n',
        ":4: row has 3 fields, the header has 2. "
        "Quote fields that hold the delimiter or a line break",
    ),
    (
        "narrow.csv",
        b"a,b\n1\n",
        ":2: row has 1 fields, the header has 2. "
        "Quote fields that hold the delimiter or a line break",
    ),
    (
        "quote.csv",
        b'a,b\n1,"2\n3,4\n',
        ":2: is not valid CSV: unexpected end of data. "
        "Quote fields that hold the delimiter, a quote or a line break",
    ),
    ("cut.parquet", b"PAR1 and no more PAR1", "is a broken Parquet file. Write it again"),
    (
        "named.parquet",
        b'{"a": 1}x',
        "is not a Parquet file. Write it again, or mend its name",
    ),
    ("x.jsonl", b"PK\x03\x04 archive", "is a zip archive. Unpack it first"),
    ("x.xz", b"\xfd7zXZ\x00", "is compressed with xz. Unpack it, or compress it with gzip"),
    ("x.txt", b"plain words", "is neither JSON, CSV nor Parquet. Convert it to JSON Lines"),
]


@pytest.mark.parametrize(("name", "data", "line"), DEFECTS, ids=[d[0] for d in DEFECTS])
def test_one_line_for_each_defect(tmp_path, name, data, line):
    with pytest.raises(InputError) as caught:
        rows_of(tmp_path, name, data)
    separator = "" if line.startswith(":") else ": "
    shown = str(caught.value).removeprefix(f"{tmp_path / name}")
    if name == "cut.jsonl.gz":  # the row at which the cut shows depends on the buffer
        row, _, rest = shown.lstrip(":").partition(": ")
        assert rest == line
        assert 3000 < int(row) <= 5000
    else:
        assert shown == separator + line


def test_missing_folder_and_stream(tmp_path):
    (tmp_path / "answers.jsonl").write_text("{}")
    with pytest.raises(InputError, match=r"answers.json: no such file. Did you mean .*\.jsonl\?"):
        read_rows(tmp_path / "answers.json")
    with pytest.raises(InputError, match="is a folder, not a file"):
        read_rows(tmp_path)
    with pytest.raises(InputError, match="is not a regular file"):
        read_rows("/dev/null")
    with pytest.raises(InputError, match="no such file"):
        read_rows("nul\0byte")


@pytest.mark.parametrize("packed", [False, True])
def test_a_gigabyte_on_one_line_is_not_read(tmp_path, packed):
    path = tmp_path / "x.jsonl"
    if packed:
        with gzip.open(path, "wb", compresslevel=1) as out:
            out.write(b'{"a": "')
            for _ in range(96):
                out.write(b"x" * 2**20)
    else:
        with path.open("wb") as out:
            out.write(b'{"a": "')
            out.truncate(2**30)  # sparse: a gigabyte without the disk
    tracemalloc.start()
    with pytest.raises(InputError, match=r"x.jsonl:1: line is longer than 64 MiB. Save it as"):
        list(read_rows(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 * 2**20


def test_a_large_document_is_not_read(tmp_path):
    path = tmp_path / "x.json"
    with path.open("wb") as out:
        out.write(b'[{"a": "')
        out.truncate(2**30)
    with pytest.raises(InputError, match="JSON document is larger than 512 MiB"):
        list(read_rows(path))
    path.write_text(json.dumps([1] * 1000))
    with pytest.raises(InputError, match="JSON document is larger than 1 MiB"):
        read_json(path, largest=100)


def test_lines_are_streamed(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"text": "word " * 200}) * 1 + "\n")
    line = path.read_text()
    with path.open("w") as out:
        for _ in range(30_000):
            out.write(line)
    tracemalloc.start()
    count = sum(1 for _ in read_rows(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 30_000
    assert peak < 2 * 2**20


def test_a_defect_late_in_the_file_still_shows(tmp_path):
    rows = read_rows_path(tmp_path, b'{"a": 1}\n' * 1000 + b"{\n")
    assert next(rows) == (1, {"a": 1})
    with pytest.raises(InputError, match=":1001: is not JSON"):
        list(rows)


def read_rows_path(tmp_path, data):
    path = tmp_path / "late.jsonl"
    path.write_bytes(data)
    return read_rows(path)


def test_sources():
    frame = pl.DataFrame({"a": [1, 2]})
    for source in (
        frame,
        frame.lazy(),
        pd.DataFrame({"a": [1, 2]}),
        frame.to_dicts(),
        iter(frame.to_dicts()),
    ):
        assert list(read_source(source)[1]) == [(1, {"a": 1}), (2, {"a": 2})]
    assert list(read_source([{"a": float("nan")}])[1]) == [(1, {"a": None})]
    missing = pd.DataFrame({"a": [pd.NA], "b": [float("nan")], "c": ["x"]})
    assert list(read_source(missing)[1]) == [(1, {"a": None, "b": None, "c": "x"})]
    with pytest.raises(InputError, match="cannot read rows from int"):
        read_source(5)
    with pytest.raises(InputError, match="rows:2: row is int, not a dictionary"):
        list(read_source([{}, 3])[1])


def test_sha256(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    assert sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_line_numbers_and_ends(tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes("\ufeffa\r\n\u2028b\nc".encode())
    assert list(read_lines(path)) == [(1, "a\r\n"), (2, "\u2028b\n"), (3, "c")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(
    st.binary(max_size=400),
    st.sampled_from(["x.jsonl", "x.json", "x.csv", "x.parquet", "x", "x.gz"]),
)
def test_any_bytes_are_rows_or_one_error(tmp_path_factory, data, name):
    path = tmp_path_factory.mktemp("fuzz") / name
    for content in (data, gzip.compress(data), b'{"a": 1}\n' + data, b"a,b\n" + data):
        path.write_bytes(content)
        try:
            rows = list(read_rows(path))
        except InputError as error:
            assert "\n" not in str(error)
            assert error.where is not None
            assert error.where.startswith(str(path))
        else:
            assert rows
            assert all(isinstance(row, dict) for _, row in rows)


@settings(max_examples=40)
@given(
    st.lists(
        st.dictionaries(st.text(max_size=5), JSON, min_size=1, max_size=4), min_size=1, max_size=5
    )
)
def test_json_lines_round_trip(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("trip") / "x.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n{}\n")
    read = [row for _, row in read_rows(path)]
    assert read == [parse_json(json.dumps(row), where="x") for row in rows] + [{}]
