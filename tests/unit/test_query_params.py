"""QueryParams: optional parts and the dict form."""

from __future__ import annotations

import pytest

from didww import QueryParams
from didww.enums import OrderStatus
from didww.exceptions import InvalidValueError


def test_page_number_and_size_can_be_set_separately() -> None:
    """A part that is not passed keeps its value."""
    assert QueryParams().page(size=100).to_dict() == {"page[size]": 100}
    assert QueryParams().page(number=2).to_dict() == {"page[number]": 2}
    assert QueryParams().page().to_dict() == {}
    assert QueryParams().page(1, 25).page(size=5).to_dict() == {"page[number]": 1, "page[size]": 5}
    assert QueryParams().page(1, 25).page(2).encode() == "page%5Bnumber%5D=2&page%5Bsize%5D=25"


@pytest.mark.parametrize("arguments", [{"number": 0}, {"size": 1001}, {"size": True}, {"number": "1"}, {"size": 2.0}])
def test_invalid_page_is_rejected(arguments: dict[str, object]) -> None:
    """Page numbers start at 1, sizes range from 1 to 1000."""
    with pytest.raises(InvalidValueError, match=r"page: (number|size) must be a whole number from 1"):
        QueryParams().page(**arguments)


def test_to_dict_returns_the_query_parameters() -> None:
    """`to_dict` uses the parameter names of the request and keeps filter values unchanged."""
    params = QueryParams().filter("country.id", "uuid").filter("status", OrderStatus.PENDING).filter("id", ["a", "b"])
    params.include("x", "y").sort("z").fields("dids", "number").param("own", "1")
    expected = {
        "include": "x,y",
        "filter[country.id]": "uuid",
        "filter[status]": OrderStatus.PENDING,
        "filter[id]": ["a", "b"],
        "sort": "z",
        "fields[dids]": "number",
        "own": "1",
    }
    assert params.to_dict() == expected
    assert params.pairs()[2:4] == [("filter[status]", "pending"), ("filter[id]", "a,b")]
