"""What the declarations of the resources cannot say, and the emulator needs: the only place that names types.

Hidden columns (kept, never shown), filters that run over other types, and who shares what.
Sources: behavior sheet (sections 6 to 9), filters sheet, contract files.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "ALIASES",
    "ANY_NUMBER",
    "BLANK_IS_DEFAULT",
    "CATALOG",
    "EXPRESSIONS",
    "HIDDEN",
    "HISTORY_DAYS",
    "IN_ORDER",
    "LINKS_NOT_SERVED",
    "MUST_BE_BLANK",
    "NEEDS",
    "NEEDS_TO_CREATE",
    "NEED_FEATURE",
    "NOT_SHOWN",
    "NO_BODY",
    "NO_KEY",
    "NO_META",
    "ORDER",
    "OUTLIVES",
    "OWNED",
    "REFERENCE",
    "REFERENCE_ERRORS",
    "REVERSED",
    "SHARED",
    "WHOLE_INVALID",
]

# Types that the catalog fills.
CATALOG: Final = frozenset(
    {
        "countries",
        "regions",
        "areas",
        "cities",
        "did_group_types",
        "did_groups",
        "stock_keeping_units",
        "nanpa_prefixes",
        "pops",
    }
)

# Types whose records belong to nobody: all accounts see the same ones.
REFERENCE: Final = frozenset(
    {"public_keys", "proof_types", "supporting_document_templates", "address_requirements", "emergency_requirements"}
)
SHARED: Final = CATALOG | REFERENCE | {"available_dids"}

# Columns beside the declared ones: their kind, or "one:<type>" for a relationship.
HIDDEN: Final[dict[str, dict[str, str]]] = {
    "countries": {"is_available": "boolean"},
    "cities": {"is_available": "boolean"},
    "did_groups": {
        "needs_registration": "boolean",
        "available_dids_enabled": "boolean",
        "back_orders": "boolean",
        "total_count": "integer",
        "number_base": "text",
        "number_from": "integer",
        "number_width": "integer",
    },
    "stock_keeping_units": {"did_group": "one:did_groups"},
    "nanpa_prefixes": {"did_group": "one:did_groups"},
    "did_reservations": {"did_group": "one:did_groups", "number": "text"},
    # Where a number is registered; a verification under review has its number linked before that.
    "dids": {"address": "one:addresses"},
    "qty_based_pricings": {"capacity_pool": "one:capacity_pools"},
}

# Filters and sort keys that mean another path.
ALIASES: Final[dict[tuple[str, str], str]] = {
    **{("dids", f"{place}.id"): f"did_group.{place}.id" for place in ("country", "region", "city")},
    ("capacity_pools", "country.id"): "countries.id",
    # Contract file nanpa_prefixes: here it is stock alone.
    ("nanpa_prefixes", "did_group.is_available"): "did_group.in_stock",
    # The latest verification decides.
    ("emergency_calling_services", "address.id"): "emergency_verification.address.id",
    ("emergency_calling_services", "identity.id"): "emergency_verification.address.identity.id",
    ("did_reservations", "expire_at"): "expires_at",
    ("encrypted_files", "expire_at"): "expires_at",
}

# Hidden to-many relationships that filters run over: the other type, and its relationship back.
REVERSED: Final[dict[tuple[str, str], tuple[str, str]]] = {
    ("did_groups", "nanpa_prefix"): ("nanpa_prefixes", "did_group"),
}

_STOCK = (
    "max(0, {t}.total_count"
    " - (SELECT count(*) FROM dids WHERE dids.owner = :owner AND dids.did_group = {t}.id)"
    # Ordered numbers are kept as reservations of the account's hold account (`available_dids.hold_account`).
    " - (SELECT count(*) FROM did_reservations AS held"
    " WHERE held.owner IN (:owner, -:owner) AND held.did_group = {t}.id))"
)

# Filters and sort keys over what is worked out: the SQL for a row of the alias {t}, and the types it reads besides.
EXPRESSIONS: Final[dict[tuple[str, str], tuple[str, tuple[str, ...]]]] = {
    ("did_groups", "meta.total_count"): (_STOCK, ("dids", "did_reservations")),
    ("did_groups", "in_stock"): (f"{_STOCK} > 0", ("dids", "did_reservations")),
    # Contract file did_groups: from stock, or on back order.
    ("did_groups", "is_available"): (f"{{t}}.back_orders OR {_STOCK} > 0", ("dids", "did_reservations")),
    ("nanpa_prefixes", "npanxx"): ("{t}.npa || {t}.nxx", ()),
    ("capacity_pools", "has_unassigned_channels"): ("{t}.total_channels_count > {t}.assigned_channels_count", ()),
    # Contract files identities and addresses: registered to at least one number.
    **{
        (type, "verified"): (
            f"EXISTS (SELECT 1 FROM dids WHERE dids.owner = :owner AND dids.{one} = {{t}}.id)",  # noqa: S608 our own
            ("dids",),
        )
        for type, one in (("identities", "identity"), ("addresses", "address"))
    },
}

# Filters whose id must be one of the account's records of a type; another one is an error.
OWNED: Final[dict[tuple[str, str], str]] = {("voice_out_trunks", "default_did.id"): "dids"}

# By type, the attributes that a list is ordered by when no sort was asked for, each with a minus if it descends;
# the other lists begin with what came first.
ORDER: Final[dict[str, tuple[str, ...]]] = {"dids": ("number",), "did_history": ("-created_at",)}

# Types that an account without a feature is refused, whatever the operation.
NEEDS: Final = {
    "voice_out_trunks": "outbound_trunks",
    "voice_out_trunk_regenerate_credentials": "outbound_trunks",
    "emergency_requirements": "emergency_calling",
    "emergency_requirement_validations": "emergency_calling",
    "emergency_calling_services": "emergency_calling",
    "emergency_verifications": "emergency_calling",
}

# Values of attributes and filters that need a feature of the same name.
NEED_FEATURE: Final = {("voice_out_trunks", "on_cli_mismatch_action"): frozenset({"replace_cli", "randomize_cli"})}

# Types of which such an account can create nothing.
NEEDS_TO_CREATE: Final = {"orders": "ordering"}

# Types whose relationships have links that lead nowhere.
LINKS_NOT_SERVED: Final = frozenset({"emergency_requirements", "emergency_calling_services", "emergency_verifications"})

# The ending of files, whose refusals have no body.
NO_BODY: Final = ".csv.gz"

NO_KEY: Final = frozenset({"public_keys"})
NO_META: Final = frozenset({"public_keys"})

# By type, the time that the clock looks records up by.
IN_ORDER: Final = {"dids": "expires_at", "did_history": "created_at"}

# Days that can be asked for.
HISTORY_DAYS: Final = {"did_history": 90}

# Records that outlive what they lead to: a review that is over is kept.
OUTLIVES: Final = frozenset({("address_verifications", "address"), ("emergency_verifications", "address")})
# Attributes that are stored as their default when a request leaves them blank.
BLANK_IS_DEFAULT: Final = frozenset({("voice_in_trunks", "cli_format")})

# Numbers that are kept as they were sent: DIDWW's own sources number this list in two ways.
ANY_NUMBER: Final = frozenset({"tx_dtmf_format_id"})

# Members of an object without which all of it is told to be wrong (recorded).
WHOLE_INVALID: Final = frozenset({"allowed_sip_ips"})

# By type and member, the text for one that is set and must not be, where it is known.
MUST_BE_BLANK: Final = {
    ("sip_configurations", name): f"{name} must be blank when the SIP registration is enabled"
    for name in ("host", "port")
}

# Attributes that requests carry and no recorded answer holds, although they can be read where a response does.
NOT_SHOWN: Final = frozenset({("orders", "allow_back_ordering")})

# Relationships whose errors the service reports in a way of their own: title, detail, pointer.
REFERENCE_ERRORS: Final = {
    ("dids", "voice_in_trunk"): ("should exist", "trunk_id - is invalid", "/data/attributes/voice_in_trunk_id"),
    ("dids", "voice_in_trunk_group"): (
        "should exist",
        "trunk_group_id - is invalid",
        "/data/attributes/voice_in_trunk_group_id",
    ),
    ("voice_in_trunk_groups", "voice_in_trunks"): (
        "is invalid",
        "trunk_ids - are invalid",
        "/data/attributes/trunk_ids",
    ),
}
