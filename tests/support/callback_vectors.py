"""Callback test vectors with their own secret, computed twice by independent code."""

from __future__ import annotations

from typing import Any, NamedTuple

SECRET = "test-callback-secret"
ORDER = "5da18706-be9f-49b0-aeec-0480aacd49ad"
ADDRESS = "89c0164e-752f-4995-a0fa-0ced21e60e4a"


class Vector(NamedTuple):
    name: str
    url: str
    payload: Any
    signature: str
    method: str = "POST"


VECTORS = [
    Vector(
        "order",
        "https://hooks.example.test/didww",
        {"id": ORDER, "type": "orders", "status": "completed"},
        "271b763e3008f4e073d990ff2c9d5b65c4c2d74c",
    ),
    Vector(
        "order, own query",
        "https://hooks.example.test/didww?tenant=42",
        {"id": ORDER, "type": "orders", "status": "canceled"},
        "233012a7b175955271f6f5ecfe30dfa57acca5a3",
    ),
    Vector(
        "order by GET",
        "https://hooks.example.test/didww",
        {"id": ORDER, "type": "orders", "status": "completed"},
        "cf6ec99ed3942d39862d764791b7995b3fbeb47b",
        "GET",
    ),
    Vector(
        "export, port",
        "https://hooks.example.test:8443/didww",
        {
            "id": "d482cc85-a5b2-4a8d-8c1f-51d886d53e18",
            "type": "exports",
            "status": "completed",
            "url": "https://api.didww.com/v3/exports/d482cc85-a5b2-4a8d-8c1f-51d886d53e18.csv.gz",
        },
        "f7dd2e2ed8b52990096fc298c81a2016676b1d33",
    ),
    Vector(
        "address rejected",
        "https://hooks.example.test/didww",
        {
            "id": ADDRESS,
            "type": "address_verifications",
            "status": "rejected",
            "reject_reason": "Document expired",
            "reject_comment": "Please send a new copy",
        },
        "922dadf471e9a9cd7d8ffbdcd39325b56047dcf5",
    ),
    Vector(
        "not ASCII",
        "https://hooks.example.test/didww",
        {
            "id": ADDRESS,
            "type": "address_verifications",
            "status": "rejected",
            "reject_reason": "Adresse ungültig",
            "reject_comment": "Straße & Nr. fehlen",
        },
        "a5b885009ae20a3ff18830a25a9aaab1ce7835a1",
    ),
    Vector(
        "emergency approved",
        "https://hooks.example.test/didww",
        {
            "id": "c8e004b0-87ec-4987-b4fb-ee89db099f0e",
            "type": "emergency_verifications",
            "status": "approved",
            "reject_reasons": "",
            "emergency_calling_service_id": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
        },
        "a4094308e168b80a0b85d1ab64271e28c71c8b51",
    ),
    Vector(
        "trunk",
        "https://hooks.example.test/didww/vout",
        [
            {
                "id": "f36d1d17-bd16-42b9-af42-0cfe166bf3ec",
                "type": "voice_out_trunks",
                "status": "blocked",
                "threshold_reached": True,
                "created_at": "2017-06-25T08:21:41.795Z",
            }
        ],
        "00be48411ed5b6b97d7721b8f099d8e1a8659056",
    ),
    Vector(
        "two trunks",
        "https://hooks.example.test/didww/vout",
        [
            {
                "id": "f36d1d17-bd16-42b9-af42-0cfe166bf3ec",
                "type": "voice_out_trunks",
                "status": "blocked",
                "threshold_reached": True,
                "created_at": "2017-06-25T08:21:41.795Z",
            },
            {
                "id": "457bf47d-446d-41cd-91c3-dfbda7bf0753",
                "type": "voice_out_trunks",
                "status": "active",
                "threshold_reached": False,
                "created_at": "2017-06-26T00:00:00.000Z",
            },
        ],
        "e9b0bd181add2a0d95ba3876cd28863e5e516632",
    ),
]
