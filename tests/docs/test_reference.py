"""The pages of the reference match the code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from didww._schema.filter_rules import filter_types, includes, sort_keys
from didww._schema.registry import all_classes
from didww.emulator.data.cdr import _SOURCE_COLUMNS, CDR_IN_COLUMNS, CDR_OUT_COLUMNS
from didww.emulator.data.messages import SMS_IN_COLUMNS, SMS_OUT_COLUMNS

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
SOURCE = CDR_IN_COLUMNS.index("Source")


def test_generated_pages_are_up_to_date() -> None:
    """Run `python scripts/reference_pages.py` after a change of a declaration or a public docstring."""
    script = REFERENCE.parents[1] / "scripts" / "reference_pages.py"
    # In a process of its own: classes that tests declare would be in the pages.
    done = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, encoding="utf-8", timeout=300, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("cls", all_classes(), ids=lambda cls: cls._type_name)
def test_resource_page_names_each_member(cls: type) -> None:
    """The page of a resource has each field, filter, sort key and include of its declaration."""
    page = (REFERENCE / "resources" / f"{cls._type_name}.md").read_text(encoding="utf-8")
    names = {name for name, field in cls._field_map.items() if field.place != "meta"} | {*includes(cls)}
    if "list" in cls._operations:
        names |= {*filter_types(cls)} | {key.removeprefix("-") for key in sort_keys(cls)}
    assert {name for name in names if f"`{name}`" not in page} == set()


@pytest.mark.parametrize(
    ("heading", "columns"),
    [
        ("Inbound calls", (*CDR_IN_COLUMNS[: SOURCE + 1], *_SOURCE_COLUMNS, *CDR_IN_COLUMNS[SOURCE + 1 :])),
        ("Outbound calls", CDR_OUT_COLUMNS),
        ("Inbound text messages", SMS_IN_COLUMNS),
        ("Outbound text messages", SMS_OUT_COLUMNS),
    ],
)
def test_columns_of_exports_are_documented(heading: str, columns: tuple[str, ...]) -> None:
    """The page lists the columns of exports in their order, those of both API versions."""
    page = (REFERENCE / "cdr-columns.md").read_text(encoding="utf-8")
    section = page.split(f"## {heading}")[1].split("\n## ")[0].split("Codes that DIDWW")[0]
    assert tuple(re.findall(r"^\| `([^`]+)`", section, re.MULTILINE)) == columns
