"""The response that the decoding benchmark reads: 1,000 DIDs with their orders and DID groups included.

Built like the service's responses (every relationship with its two links), the same bytes at every run.
"""

from __future__ import annotations

import json
import random
import uuid
from typing import Any

BASE = "https://sandbox-api.example.com/v3"
LINKS = (
    "did_group",
    "order",
    "capacity_pool",
    "shared_capacity_group",
    "address_verification",
    "voice_in_trunk",
    "voice_in_trunk_group",
    "emergency_calling_service",
    "emergency_verification",
    "identity",
)
GROUP_LINKS = ("country", "city", "did_group_type", "region", "stock_keeping_units", "address_requirement")


def body(dids: int = 1000, orders: int = 100, groups: int = 50) -> bytes:
    """The document as bytes, without white space, as the service sends it."""
    source = random.Random(1)

    def new_id() -> str:
        return str(uuid.UUID(int=source.getrandbits(128)))

    order_ids = [new_id() for _ in range(orders)]
    group_ids = [new_id() for _ in range(groups)]
    data = []
    for number in range(dids):
        id_ = new_id()
        linked = {
            "order": {"type": "orders", "id": source.choice(order_ids)},
            "did_group": {"type": "did_groups", "id": source.choice(group_ids)},
        }
        data.append(
            {
                "id": id_,
                "type": "dids",
                "attributes": {
                    "number": f"4420794{60000 + number}",
                    "description": "Front desk",
                    "blocked": False,
                    "awaiting_registration": False,
                    "terminated": False,
                    "emergency_enabled": False,
                    "capacity_limit": 10,
                    "channels_included_count": 2,
                    "dedicated_channels_count": 0,
                    "billing_cycles_count": None,
                    "created_at": "2026-03-01T08:21:41.795Z",
                    "expires_at": "2026-04-01T08:21:41.795Z",
                },
                "relationships": {name: _relationship("dids", id_, name, linked.get(name)) for name in LINKS},
            }
        )
    included = [_order(id_, index) for index, id_ in enumerate(order_ids)]
    included += [_group(id_) for id_ in group_ids]
    document = {
        "data": data,
        "included": included,
        "meta": {"total_records": dids, "api_version": "2026-04-16"},
        "links": {"first": f"{BASE}/dids?page%5Bnumber%5D=1", "last": f"{BASE}/dids?page%5Bnumber%5D=1"},
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _relationship(type_: str, id_: str, name: str, data: Any = None) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "links": {"self": f"{BASE}/{type_}/{id_}/relationships/{name}", "related": f"{BASE}/{type_}/{id_}/{name}"}
    }
    if data is not None:
        shown["data"] = data
    return shown


def _order(id_: str, index: int) -> dict[str, Any]:
    item = {"qty": 10, "nrc": "2.0", "mrc": "1.5", "prorated_mrc": False, "billed_from": None, "billed_to": None}
    return {
        "id": id_,
        "type": "orders",
        "attributes": {
            "reference": f"ABC-{100000 + index}",
            "amount": "35.0",
            "status": "completed",
            "created_at": "2026-03-01T08:21:41.795Z",
            "description": "DID",
            "callback_url": None,
            "callback_method": None,
            "external_reference_id": None,
            "items": [{"type": "did_order_items", "attributes": item}],
        },
    }


def _group(id_: str) -> dict[str, Any]:
    return {
        "id": id_,
        "type": "did_groups",
        "attributes": {
            "prefix": "20",
            "area_name": "London",
            "features": ["voice_in", "t38"],
            "is_metered": False,
            "allow_additional_channels": True,
            "service_restrictions": None,
        },
        "relationships": {name: _relationship("did_groups", id_, name) for name in GROUP_LINKS},
        "meta": {"available_dids_enabled": True, "needs_registration": False, "is_available": True, "total_count": 9},
    }
