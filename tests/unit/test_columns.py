"""Columns of tables: declared by each resource, shared by the command and the console."""

from __future__ import annotations

from decimal import Decimal

import pytest

from didww import InvalidValueError
from didww._schema.columns import check_path, columns_of, includes_of, value_at
from didww._schema.registry import all_classes
from didww.emulator import Emulator
from didww.resources.did import Did
from didww.resources.order import Order
from didww.version import API_VERSIONS


@pytest.mark.parametrize("cls", all_classes(), ids=lambda cls: cls.__name__)
def test_each_column_is_a_member_that_responses_have(cls):
    """Every declared path leads to a member, by relationships that responses can include."""
    paths = [path for column in columns_of(cls) for path in column.paths]
    assert bool(paths) == bool(cls._operations - {"create"} or cls._type_name.endswith(("units", "pricings")))
    for path in paths:
        relationships = check_path(cls, path)
        assert all(path.startswith(include) for include in [".".join(relationships)])


def test_columns_of_every_list_can_be_requested():
    """The service accepts the includes that the columns need."""
    emulator = Emulator()
    for version in API_VERSIONS:
        client = emulator.client(api_version=version)
        for cls in all_classes():
            if "list" in cls._operations and cls._versions.includes(version):
                columns = columns_of(cls, version)
                paths = [path for column in columns for path in column.paths]
                response = getattr(client, cls._path)().list(include=includes_of(cls, paths))
                for record in response.data[:2]:
                    assert any(column.value(record) is not None for column in columns)


def test_first_path_with_a_value_is_shown():
    """A number goes to a trunk or to a group; the column shows the one that is set."""
    included = [{"type": "voice_in_trunk_groups", "id": "1", "attributes": {"name": "Support"}}]
    did = Did.from_dict(
        {
            "id": "2",
            "attributes": {"number": "442079460001"},
            "relationships": {
                "voice_in_trunk": {"data": None},
                "voice_in_trunk_group": {"data": {"type": "voice_in_trunk_groups", "id": "1"}},
            },
        },
        included=included,
    )
    values = {column.heading: column.value(did) for column in columns_of(Did)}
    assert values["number"] == "442079460001"
    assert values["route"] == "Support"
    assert values["country"] is None  # not included


def test_value_behind_a_list_is_a_list():
    """A path through a list returns the value of each item."""
    items = [{"type": "did_order_items", "attributes": {"qty": 2, "nrc": "0.50"}}]
    order = Order.from_dict({"id": "3", "attributes": {"items": items}})
    assert value_at(order, "items.nrc") == [Decimal("0.50")]
    assert value_at(order, "amount") is None


def test_unknown_column_names_the_closest_ones():
    """The message says which member is missing, of which resource, and what was probably meant."""
    with pytest.raises(InvalidValueError, match=r"countries has no 'nmae'. Did you mean 'name'\?"):
        check_path(Did, "did_group.country.nmae")
