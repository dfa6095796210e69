"""Tables as files: CSV, TSV, JSON, lines of JSON and Parquet, in and out, row by row.

A row that cannot be read is given as the error it is, so that the others can be.
"""

from __future__ import annotations

import csv
import importlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, TypeAlias

from cleancut.errors import BadInput, TooBig
from cleancut.jobs.batch.lists import read_list
from cleancut.limits import SourceLimits
from cleancut.pictures.files import replacing, shown

Cells: TypeAlias = "dict[str, Any]"
"""A row: values by column. Of CSV, text."""

_DELIMITERS = (",", ";", "\t", "|")
_LONGEST_CELL = 2_000_000
"""Characters of a cell: a shop's table holds descriptions in HTML."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table.

    Attributes:
        number: as a spreadsheet counts, so the first after a header is 2; of JSON and Parquet, from 1.
        cells: its values; empty where it cannot be read.
        error: why it cannot be read.
    """

    number: int
    cells: Cells
    error: BadInput | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table that was opened.

    Attributes:
        columns: as its header or its first row names them.
        rows: reads its rows anew each time.
        write: writes rows as this table is written, with these columns.
    """

    columns: tuple[str, ...]
    rows: Callable[[], Iterator[Row]]
    write: Callable[[IO[bytes], Sequence[str], Iterable[Cells]], None]


def read_table(path: Path, limits: SourceLimits) -> Table:
    """Open a table; its name says how it is written.

    Raises:
        BadInput: it cannot be read at all, or its name ends in none of `KINDS`.
        TooBig: it has more bytes or rows than the limits allow.
    """
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise BadInput(f"{shown(path)} is no table that is read; its name must end in {', '.join(KINDS)}.")
    table = kind(path, limits)
    if sum(1 for _ in islice(table.rows(), limits.max_entries + 1)) > limits.max_entries:
        raise TooBig(f"{shown(path)} has more than {limits.max_entries:,} rows; split it.")
    return table


def write_table(table: Table, path: Path, columns: Sequence[str], rows: Iterable[Cells], *, overwrite: bool) -> None:
    """Write rows as `table` is written, whole or not at all.

    Raises:
        CannotWrite: the file exists and `overwrite` is off, or it cannot be written.
    """
    with replacing(path, overwrite) as stream:
        table.write(stream, columns, rows)


def _csv(path: Path, limits: SourceLimits) -> Table:
    data = read_list(lambda: path.open("rb"), shown(path), limits.max_table)
    mark = data.startswith(b"\xef\xbb\xbf")
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadInput(f"{shown(path)} is UTF-16; save it as CSV in UTF-8.")
    csv.field_size_limit(max(_LONGEST_CELL, csv.field_size_limit()))
    delimiter = _delimiter(text)
    try:
        header = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise BadInput(f"{shown(path)} has a header that cannot be read: {error}.") from None
    columns = _distinct(header, shown(path))
    return Table(
        columns,
        lambda: _csv_rows(text, delimiter, columns),
        lambda stream, wanted, rows: _write_csv(stream, wanted, rows, delimiter, mark),
    )


def _delimiter(text: str) -> str:
    """Tell what parts cells by what parts the header most often."""
    head = text[: text.find("\n") if "\n" in text else None]
    return max(_DELIMITERS, key=head.count)


def _csv_rows(text: str, delimiter: str, columns: tuple[str, ...]) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    next(reader, None)
    number = 1
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(number, {}, BadInput(f"Row {number} cannot be read: {error}."))
            continue
        if any(cells[len(columns) :]):
            told = f"Row {number} has {len(cells)} cells, and the header {len(columns)}; put quotes round its commas."
            yield Row(number, {}, BadInput(told))
        elif any(cells):
            yield Row(number, dict(zip(columns, cells, strict=False)))


def _write_csv(stream: IO[bytes], columns: Sequence[str], rows: Iterable[Cells], delimiter: str, mark: bool) -> None:
    text = io.TextIOWrapper(stream, "utf-8", "surrogateescape", newline="", write_through=True)
    text.write("\ufeff" if mark else "")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(columns)
    writer.writerows([_plain(cells.get(column)) for column in columns] for cells in rows)
    text.detach()


def _plain(value: object) -> str:
    """Write a value as a cell of text."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _json(path: Path, limits: SourceLimits) -> Table:
    data = read_list(lambda: path.open("rb"), shown(path), limits.max_table)
    try:
        listed = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{shown(path)} is not JSON: {type(error).__name__}.") from None
    if not isinstance(listed, list):
        raise BadInput(f'{shown(path)} must be a list of objects, such as [{{"path": "left.jpg"}}].')
    return Table(_first_columns(listed), lambda: (_object(n, item) for n, item in enumerate(listed, 1)), _write_json)


def _write_json(stream: IO[bytes], columns: Sequence[str], rows: Iterable[Cells]) -> None:
    listed = ",\n".join(json.dumps(_some(cells, columns), ensure_ascii=False, default=str) for cells in rows)
    stream.write(f"[\n{listed}\n]\n".encode("utf-8", "surrogateescape"))


def _jsonl(path: Path, limits: SourceLimits) -> Table:
    data = read_list(lambda: path.open("rb"), shown(path), limits.max_table)

    def rows() -> Iterator[Row]:
        for number, line in enumerate(data.split(b"\n"), 1):
            if line.strip():
                try:
                    yield _object(number, json.loads(line))
                except (ValueError, RecursionError):
                    yield Row(number, {}, BadInput(f"Row {number} is not JSON."))

    return Table(_first_columns(row.cells for row in rows()), rows, _write_jsonl)


def _write_jsonl(stream: IO[bytes], columns: Sequence[str], rows: Iterable[Cells]) -> None:
    for cells in rows:
        line = json.dumps(_some(cells, columns), ensure_ascii=False, default=str)
        stream.write(f"{line}\n".encode("utf-8", "surrogateescape"))


def _parquet(path: Path, limits: SourceLimits) -> Table:
    try:
        parquet, arrow = importlib.import_module("pyarrow.parquet"), importlib.import_module("pyarrow")
    except ImportError:
        raise BadInput('Parquet needs one more package; run: pip install "cleancut[parquet]"') from None
    try:
        about = parquet.ParquetFile(path)
        groups = [about.metadata.row_group(place) for place in range(about.metadata.num_row_groups)]
        columns = tuple(about.schema_arrow.names)
    except (OSError, ValueError) as error:
        raise BadInput(f"{shown(path)} is no Parquet file that can be read: {type(error).__name__}.") from None
    if sum(group.total_byte_size for group in groups) > limits.max_table:
        raise TooBig(f"{shown(path)} would unpack to more than {limits.max_table / 1e6:,.0f} MB; split it.")

    def rows() -> Iterator[Row]:
        number = 0
        try:
            for batch in parquet.ParquetFile(path).iter_batches(1024):
                for cells in batch.to_pylist():
                    number += 1
                    yield Row(number, cells)
        except (OSError, ValueError) as error:
            told = f"{shown(path)} is damaged after row {number}: {type(error).__name__}."
            yield Row(number + 1, {}, BadInput(told))

    def write(stream: IO[bytes], wanted: Sequence[str], given: Iterable[Cells]) -> None:
        listed = list(given)
        kept = {name: [cells.get(name) for cells in listed] for name in wanted}
        parquet.write_table(arrow.table(kept), stream)

    return Table(columns, rows, write)


def _object(number: int, item: object) -> Row:
    if not isinstance(item, Mapping):
        return Row(number, {}, BadInput(f'Row {number} is no object, such as {{"path": "left.jpg"}}.'))
    return Row(number, {str(name): value for name, value in item.items()})


def _first_columns(rows: Iterable[object]) -> tuple[str, ...]:
    """Gather the columns of rows that may each have others, in the order they come up."""
    found: dict[str, None] = {}
    for row in rows:
        found.update(dict.fromkeys(map(str, row)) if isinstance(row, Mapping) else {})
    return tuple(found)


def _some(cells: Cells, columns: Sequence[str]) -> Cells:
    return {column: cells[column] for column in columns if column in cells}


def _distinct(header: Sequence[str], name: str) -> tuple[str, ...]:
    """Check a header; columns without a name are left as they are, if they are the last ones."""
    columns = tuple(column.strip() for column in header)
    while columns and not columns[-1]:
        columns = columns[:-1]
    if not columns:
        raise BadInput(f"{name} has no header; name its columns in the first line.")
    if len(set(columns)) < len(columns):
        twice = next(column for place, column in enumerate(columns) if column in columns[:place])
        raise BadInput(f"{name} has two columns {shown(twice)!r}; rename one.")
    return columns


KINDS: Mapping[str, Callable[[Path, SourceLimits], Table]] = {
    ".csv": _csv,
    ".tsv": _csv,
    ".json": _json,
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".parquet": _parquet,
}
"""How a table is opened, by how its name ends."""
