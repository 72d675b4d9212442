"""The pages of the reference match the code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from didww._schema.filter_rules import filter_types, includes, sort_keys
from didww._schema.registry import all_classes
from didww.emulator.data.messages import SMS_IN_COLUMNS, SMS_OUT_COLUMNS
from didww.resources.call import CallRecord, InboundCall, OutboundCall, columns_of

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"


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


def section(heading: str) -> str:
    """The section of a kind of exports, up to what follows its table."""
    page = (REFERENCE / "cdr-columns.md").read_text(encoding="utf-8")
    return page.split(f"## {heading}")[1].split("\n## ")[0]


@pytest.mark.parametrize(
    ("heading", "columns"), [("Inbound text messages", SMS_IN_COLUMNS), ("Outbound text messages", SMS_OUT_COLUMNS)]
)
def test_columns_of_text_messages_are_documented(heading: str, columns: tuple[str, ...]) -> None:
    """The page lists the columns of exports in their order."""
    assert tuple(re.findall(r"^\| `([^`]+)`", section(heading), re.MULTILINE)) == columns


@pytest.mark.parametrize(("heading", "cls"), [("Inbound calls", InboundCall), ("Outbound calls", OutboundCall)])
def test_columns_of_calls_are_documented(heading: str, cls: type[CallRecord]) -> None:
    """The page lists the columns in the order of the files, those of each API version, with their attributes."""
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|", section(heading), re.MULTILINE)
    declared = columns_of(cls)
    now = [(name, attribute) for attribute, *_, column in declared for name in (column.name, column.renamed) if name]
    before = [(column.before, attribute) for attribute, *_, column in declared if column.before]
    assert rows == now + before * (cls is InboundCall)
    later = [column.renamed for *_, column in declared if column.renamed]
    assert re.findall(r"^\| `([^`]+)`.* Since version 2026-11-19", section(heading), re.MULTILINE) == later
