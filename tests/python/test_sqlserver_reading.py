"""What a SQL Server is asked, where a server that only speaks T-SQL would answer otherwise."""

from __future__ import annotations

import pytest

from extraction.errors import ExtractError
from extraction.sqlserver.reader import (
    _COLUMNS,
    SqlServerReader,
    _hash,
    _minus_lookback,
    _range,
    _same_key,
    _written,
)
from extraction.sqlserver.types import Form, SourceType, expression, form, landing_type, of_text
from extraction_support import cursor_spec, spec
from scripted_sqlserver import ScriptedServer

ROWVERSION = SourceType("timestamp", 8, 0, 0)


@pytest.mark.parametrize("bits", [0, 31, 40, 55])
def test_a_range_is_numbered_by_a_bigint(bits: int) -> None:
    """A constant above 2147483647 is a decimal to SQL Server, and a quotient by it a fraction."""
    assert f"/ convert(bigint, {2**bits})" in _range("k", bits)
    assert f"/ {2**bits}" not in _range("k", bits)


def test_texts_of_two_collations_are_hashed_together() -> None:
    """Else concat() would refuse them: neither column's collation takes precedence."""
    types = [
        SourceType("varchar", 9, 0, 0, collation=name)
        for name in ("Latin1_General_CI_AS", "Japanese_BIN2")
    ]
    query = _hash([_written(type_, f"c{n}") for n, type_ in enumerate(types)])
    assert query.count("collate database_default") == 2 * len(types)


def test_a_text_in_a_variant_is_not_cut() -> None:
    """It may have 8000 characters, or 8000 bytes that are written with two digits each."""
    assert "nvarchar(4000), convert(varbinary" not in expression(
        SourceType("sql_variant", 0, 0, 0), "v"
    )
    assert "else convert(nvarchar(max)" in expression(SourceType("sql_variant", 0, 0, 0), "v")


@pytest.mark.parametrize("name", ["datetime", "smalldatetime"])
def test_an_old_moment_is_read_from_six_digits(name: str) -> None:
    """Of a text, these types take three; a warehouse writes six."""
    assert of_text(SourceType(name, 8, 23, 3), "'x'") == (
        f"convert({name}, convert(datetime2(7), 'x', 121))"
    )


@pytest.mark.parametrize("name", ["datetime2", "datetimeoffset", "time"])
def test_a_key_with_a_seventh_digit_is_found_by_the_six_that_landed(name: str) -> None:
    """The last of them reach to the end of what the type holds, and no further."""
    assert _same_key("k", "x", SourceType(name, 8, 27, 7)) == (
        "(k >= x and k <= dateadd(nanosecond, 900, x))"
    )
    assert _same_key("k", "x", SourceType(name, 8, 26, 6)) == "k = x"


def test_only_alias_types_are_taken_for_the_type_below() -> None:
    """Below a vector is a varbinary, but what the server sends of it is a text."""
    assert "t.is_user_defined = 1 or t.name = 'sysname'" in _COLUMNS
    vector = SourceType("vector", 20, 0, 0)
    assert (form(vector), landing_type(vector, "sqlserver")) == (Form.TEXT, "varchar(max)")


def test_an_encrypted_column_is_named_and_can_be_left_out() -> None:
    """What the server sends of it is neither its type nor its value, and no hash of it is one."""
    encrypted = ("ssn", True, "nvarchar", 22, 0, 0, False, None, 2)
    plain = ("id", False, "int", 4, 10, 0, False, None, None)
    server = ScriptedServer(lambda said: [plain, encrypted] if "sys.columns" in said else [(1,)])
    reader = SqlServerReader(server, "source shop")
    with pytest.raises(ExtractError, match="ssn is encrypted"):
        reader.columns(spec(kind="sqlserver"))
    (column,) = reader.columns(spec(kind="sqlserver", exclude=frozenset({"ssn"})))
    assert column.name == "id"


def test_a_rowversion_has_no_lookback() -> None:
    """What is subtracted from a binary would make it an int of four bytes."""
    spec = cursor_spec(lookback="5")
    assert _minus_lookback(spec, ROWVERSION, of_text(ROWVERSION, "'7'")) == of_text(
        ROWVERSION, "'7'"
    )
