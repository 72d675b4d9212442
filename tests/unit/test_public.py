"""The public API: exported names, import cost and the errors for common mistakes."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import pydoc
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import didww
from didww import (
    CredentialsAndIpAuthenticationMethod,
    VoiceOutTrunk,
    VoiceOutTrunkRegenerateCredential,
    enums,
    exceptions,
)
from didww._schema.fields import Field
from didww._schema.nested import Nested
from didww._schema.registry import all_classes, class_named
from didww.emulator import Emulator
from didww.exceptions import (
    ApiConnectionError,
    ClientClosedError,
    InvalidValueError,
    NotIncludedError,
    ReadOnlyFieldError,
)
from didww.resources.country import Country
from didww.resources.voice_in_trunk_group import VoiceInTrunkGroup

if TYPE_CHECKING:
    from collections.abc import Iterator


def modules_after(program: str) -> set[str]:
    code = f"{program}\nimport sys; print(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True, env={**os.environ}
    )
    return set(done.stdout.split())


def declared_subclasses(cls: type) -> Iterator[type]:
    for one in cls.__subclasses__():
        yield one
        yield from declared_subclasses(one)


def test_public_names_agree() -> None:
    """`__all__`, `dir()` and the imports for type checkers have the same names, leading to the same objects."""
    tree = ast.parse(Path(didww.__file__).read_text(encoding="utf-8"))
    imports = [node for block in tree.body if isinstance(block, ast.If) for node in block.body]
    homes = {name.asname: one.module for one in imports if isinstance(one, ast.ImportFrom) for name in one.names}
    assert sorted(didww.__all__) == sorted([*homes, "__version__"]) == dir(didww)
    for name, home in homes.items():
        assert home is not None
        assert getattr(didww, name) is getattr(importlib.import_module(home), str(name))
    with pytest.raises(AttributeError, match="nothing"):
        _ = didww.nothing  # type: ignore[attr-defined]


def test_package_exports_everything_programs_need() -> None:
    """All resources, nested objects, enums and errors are exported, except bases that nobody creates or catches."""
    expected = {cls.__name__ for cls in all_classes()}
    expected |= {cls.__name__ for cls in declared_subclasses(Nested)} - {"NumberOrderItem"}
    expected |= set(exceptions.__all__) | {name for name in enums.__all__ if name[0].isupper()}
    expected -= {"OpenIntEnum", "OpenStrEnum"}
    assert expected <= set(didww.__all__)


def test_importing_didww_imports_no_libraries() -> None:
    """`import didww` loads no library; a client loads its HTTP library but no optional package."""
    light = modules_after("import didww") - modules_after("pass")
    assert light <= {"didww", "didww.version", "__future__"}
    assert not modules_after("from didww import DidwwClient, AsyncDidwwClient") & {"httpx2", "anyio"}
    ready = modules_after("from didww import DidwwClient; DidwwClient('key')")
    assert not ready & {"requests", "cryptography", "sqlite3", "click", "uvicorn"}


def test_request_imports_no_library() -> None:
    """A child forked during an import would deadlock, so the client imports everything beforehand."""
    program = "from didww import DidwwClient; client = DidwwClient('key', base_url='http://127.0.0.1:9/v3')"
    call = "\ntry: client.balance().find()\nexcept Exception: pass"
    late = modules_after(program + call) - modules_after(program)
    assert not {name for name in late if name.partition(".")[0] in ("httpx2", "httpcore2", "h11", "anyio", "ssl")}


@pytest.fixture
def client() -> Iterator[Any]:
    """A client of a fresh emulator, untyped as a beginner's program is."""
    with Emulator() as emulator:
        yield emulator.client()


def test_not_loaded_error_names_the_include(client: Any) -> None:
    """Reading a relationship that was not included says what to add."""
    group = client.did_groups().list(page=(1, 1)).data[0]
    with pytest.raises(NotIncludedError, match=r"DidGroup\.country.*include='country'"):
        _ = group.country


def test_not_loaded_error_names_the_full_include_path(client: Any) -> None:
    """The path starts at the requested records, as the call expects it."""
    did = client.available_dids().list(include="did_group", page=(1, 1)).data[0]
    with pytest.raises(NotIncludedError, match=r"DidGroup\.country.*add include='did_group\.country'"):
        _ = did.did_group.country
    did = client.available_dids().list(include="did_group.country", page=(1, 1)).data[0]
    assert did.did_group.country.name
    with pytest.raises(NotIncludedError, match=r"add include='did_group\.country\.regions'"):
        _ = did.did_group.country.regions


def test_write_only_relationship_suggests_no_include(client: Any) -> None:
    """The API accepts the trunk whose credentials are regenerated but never returns it, so including it would fail."""
    method = CredentialsAndIpAuthenticationMethod(allowed_sip_ips=["192.0.2.1"])
    trunk = VoiceOutTrunk(name="Out", on_cli_mismatch_action="reject_call", authentication_method=method)
    renewal = VoiceOutTrunkRegenerateCredential()
    renewal.voice_out_trunk = client.voice_out_trunks().create(trunk).data
    made = client.voice_out_trunk_regenerate_credentials().create(renewal).data
    with pytest.raises(NotIncludedError, match=r"Credential\.voice_out_trunk is not in any response"):
        _ = made.voice_out_trunk


def test_misspelled_filter_error_suggests_the_nearest_name(client: Any) -> None:
    """The error has the wrong name, the nearest valid one and all valid names."""
    with pytest.raises(InvalidValueError, match=r"did_groups.*'area_nane'.*Did you mean 'area_name'\?.*is_available"):
        client.did_groups().list(filter={"area_nane": "London"})


def test_read_only_field_error_lists_writable_fields(client: Any) -> None:
    """The error names the field, the reason and the writable fields."""
    country = client.countries().list().data[0]
    with pytest.raises(ReadOnlyFieldError, match=r"Country\.name cannot be set: it is read-only"):
        country.name = "x"
    with pytest.raises(ReadOnlyFieldError):
        Country(name="x")


def test_float_is_rejected_as_an_amount() -> None:
    """The error names the field and the Decimal to use; Decimal, text and integers are accepted."""
    trunk: Any = VoiceOutTrunk()
    with pytest.raises(InvalidValueError, match=r"VoiceOutTrunk\.threshold_amount.*Decimal\('0.1'\)"):
        trunk.threshold_amount = 0.1
    for value in (Decimal("0.1"), "0.1"):
        trunk.threshold_amount = value
        assert trunk.threshold_amount == Decimal("0.1")
    trunk.threshold_amount = 5
    assert trunk.changes == {"attributes": {"threshold_amount": "5"}}
    for value in ("NaN", "Infinity", "ten", True):
        with pytest.raises(InvalidValueError, match="threshold_amount"):
            trunk.threshold_amount = value


def test_closed_client_error_explains_the_cause(client: Any) -> None:
    """The error says that the client is closed and how to keep it open."""
    with client:
        client.countries().list()
    with pytest.raises(ClientClosedError, match=r"closed.*`with` block"):
        client.countries().list()


def test_connection_refused_error_says_what_to_check() -> None:
    """The error has the address, the reason and the setting to check; nothing was sent."""
    client = didww.DidwwClient("key", base_url="http://127.0.0.1:9/v3")
    with pytest.raises(ApiConnectionError, match=r"http://127\.0\.0\.1:9 .*base_url.*didww emulator") as caught:
        client.balance().find()
    assert caught.value.request_sent is False
    client.close()


def test_help_describes_fields() -> None:
    """It shows type, meaning and who may write it, for attributes and relationships."""
    told = pydoc.plain(pydoc.render_doc(didww.Did))
    for words in (
        r"number\n.*str: Phone number in E\.164 format .* Read-only\.",
        r"description\n.*str \| None: .* Writable on update only\.",
        r"voice_in_trunk\n.*VoiceInTrunk \| None: ",
    ):
        assert re.search(words, told), words
    assert "A field of a record" in str(Field.__doc__)


RECORDS = sorted({*all_classes(), *declared_subclasses(Nested)}, key=lambda cls: cls.__qualname__)


@pytest.mark.parametrize("cls", RECORDS, ids=lambda cls: cls.__name__)
def test_constructor_signature_matches_accepted_keywords(cls: Any) -> None:
    """Every field of the signature is accepted as a keyword, and no other; `help` shows the same."""
    signature = inspect.signature(cls)
    for name, field in cls._field_map.items():
        if name not in signature.parameters:
            with pytest.raises(ReadOnlyFieldError):
                cls(**{name: None})
            continue
        parameter = signature.parameters[name]
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        assert parameter.annotation == field.annotation != ""
        try:
            cls(**{name: None})
        except ReadOnlyFieldError:
            raise
        except InvalidValueError:  # None is no value of it
            pass
    text = re.sub(r"[\s|]", "", pydoc.plain(pydoc.render_doc(cls)))  # newer Pythons break long signatures into lines
    assert f"{cls.__name__}({'*,' if signature.parameters else ')'}" in text
    assert all(f"{name}:" in text for name in signature.parameters)


def test_trunk_group_constructor_signature() -> None:
    """All keywords have types, relationships included, and none is mandatory."""
    assert str(inspect.signature(VoiceInTrunkGroup)) == (
        "(*, name: 'str' = ..., capacity_limit: 'int | None' = ..., external_reference_id: 'str | None' = ..., "
        "voice_in_trunks: 'list[VoiceInTrunk]' = ...) -> None"
    )
    assert "inspect" not in modules_after("import didww._schema.record") - modules_after("import msgspec")


@pytest.mark.parametrize("cls", all_classes(), ids=lambda cls: cls.__name__)
def test_constructor_accepts_relationships(cls: Any) -> None:
    """A relationship passed as a keyword is sent like an assigned one."""
    for name, field in cls._field_map.items():
        if field.place == "relationships" and field.create:
            target = class_named(field.kind.detail.names[0]).build("8d1a3c5e-0000-4000-8000-000000000001")
            value = [target] if field.kind.name == "many" else target
            assigned = cls()
            setattr(assigned, name, value)
            assert cls(**{name: value}).changes == assigned.changes != {}


def test_reprs_say_what_the_object_is() -> None:
    """Of an iterator, an emulator and a response."""
    with Emulator() as emulator, emulator.client() as client:
        cities = client.cities().iterate(page_size=3)
        next(cities)
        assert repr(cities) == "<RecordIterator on page 1, after 1 of its records>"
        assert re.fullmatch(r"Emulator\(key='local-key', clock='[\d\-T:.]+Z'\)", repr(emulator))
        assert repr(client.cities().list()).startswith("ApiResponse(status_code=200, total_records=")
        cities.close()


@pytest.mark.parametrize(
    ("base_url", "hint"),
    [
        ("api.example.com/v3", "https://api.example.com/v3"),
        ("localhost:8750/v3", "http://localhost:8750/v3"),
        ("127.0.0.1:8750/v3", "http://127.0.0.1:8750/v3"),
    ],
)
def test_a_base_url_without_a_scheme_is_completed_in_the_error(base_url: str, hint: str) -> None:
    with pytest.raises(didww.InvalidValueError, match=re.escape(f"Did you mean {hint}?")):
        didww.DidwwClient("key", base_url=base_url)
