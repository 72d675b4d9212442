"""Type-specific rules that the resource declarations cannot express.

Hidden columns, filters over other types, shared records, and special error texts. Sources: `tests/contract/facts/`.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "ALIASES",
    "ANY_NUMBER",
    "BLANK_IS_DEFAULT",
    "CATALOG",
    "EMPTIES",
    "EXPRESSIONS",
    "HIDDEN",
    "HISTORY_DAYS",
    "IN_ORDER",
    "LINKED",
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

# Types with rows from the catalog.
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

# Types whose records all accounts share.
REFERENCE: Final = frozenset(
    {"public_keys", "proof_types", "supporting_document_templates", "address_requirements", "emergency_requirements"}
)
SHARED: Final = CATALOG | REFERENCE | {"available_dids"}

# Columns in addition to the declared ones: their kind, or "one:<type>" for a relationship.
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
    # The address a number is registered to; a pending verification links its numbers earlier.
    "dids": {"address": "one:addresses"},
    "qty_based_pricings": {"capacity_pool": "one:capacity_pools"},
}

# Filters and sort keys that are aliases of another path.
ALIASES: Final[dict[tuple[str, str], str]] = {
    **{("dids", f"{place}.id"): f"did_group.{place}.id" for place in ("country", "region", "city")},
    ("capacity_pools", "country.id"): "countries.id",
    # tests/contract/facts/nanpa_prefixes.yaml: stock only.
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

# To-many relationships that are not the inverse of the to-one relationship of their targets.
LINKED: Final = frozenset({("sms_trunks", "outgoing_dids")})

# Attributes that empty a relationship when they become true, by type.
EMPTIES: Final = {("sms_trunks", "allow_any_did_as_source"): "outgoing_dids"}

_STOCK = (
    "max(0, {t}.total_count"
    " - (SELECT count(*) FROM dids WHERE dids.owner = :owner AND dids.did_group = {t}.id)"
    # Ordered numbers are kept as reservations of the account's hold account (`available_dids.hold_account`).
    " - (SELECT count(*) FROM did_reservations AS held"
    " WHERE held.owner IN (:owner, -:owner) AND held.did_group = {t}.id))"
)

# Computed filters and sort keys: the SQL for a row of the alias {t}, and the other types it reads.
EXPRESSIONS: Final[dict[tuple[str, str], tuple[str, tuple[str, ...]]]] = {
    ("did_groups", "meta.total_count"): (_STOCK, ("dids", "did_reservations")),
    ("did_groups", "in_stock"): (f"{_STOCK} > 0", ("dids", "did_reservations")),
    # tests/contract/facts/did_groups.yaml: from stock, or on back order.
    ("did_groups", "is_available"): (f"{{t}}.back_orders OR {_STOCK} > 0", ("dids", "did_reservations")),
    ("nanpa_prefixes", "npanxx"): ("{t}.npa || {t}.nxx", ()),
    ("capacity_pools", "has_unassigned_channels"): ("{t}.total_channels_count > {t}.assigned_channels_count", ()),
    # tests/contract/facts/identities.yaml and addresses.yaml: registered to at least one number.
    **{
        (type, "verified"): (
            f"EXISTS (SELECT 1 FROM dids WHERE dids.owner = :owner AND dids.{one} = {{t}}.id)",  # noqa: S608 our own
            ("dids",),
        )
        for type, one in (("identities", "identity"), ("addresses", "address"))
    },
}

# Filters whose id must belong to one of the account's records of a type; others are an error.
OWNED: Final[dict[tuple[str, str], str]] = {("voice_out_trunks", "default_did.id"): "dids"}

# By type, the default sort keys of lists, with a minus for descending; other lists are in creation order.
ORDER: Final[dict[str, tuple[str, ...]]] = {"dids": ("number",), "did_history": ("-created_at",)}

# Types that need a feature for any operation.
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

# Types that need a feature to create records.
NEEDS_TO_CREATE: Final = {"orders": "ordering"}

# Types whose relationship links respond with 404.
LINKS_NOT_SERVED: Final = frozenset({"emergency_requirements", "emergency_calling_services", "emergency_verifications"})

# Suffix of files, whose error responses have no body.
NO_BODY: Final = ".csv.gz"

NO_KEY: Final = frozenset({"public_keys"})
NO_META: Final = frozenset({"public_keys"})

# By type, the time column by which due records are looked up.
IN_ORDER: Final = {"dids": "expires_at", "did_history": "created_at"}

# Maximum age in days of filter values.
HISTORY_DAYS: Final = {"did_history": 90}

# Records that outlive their related records: a finished review is kept.
OUTLIVES: Final = frozenset({("address_verifications", "address"), ("emergency_verifications", "address")})
# Attributes that are stored as their default when a request leaves them blank.
BLANK_IS_DEFAULT: Final = frozenset({("voice_in_trunks", "cli_format")})

# Numbers stored as sent: DIDWW's own sources number this list in two ways.
ANY_NUMBER: Final = frozenset({"tx_dtmf_format_id"})

# Members whose absence makes the whole object invalid (recorded).
WHOLE_INVALID: Final = frozenset({"allowed_sip_ips"})

# By type and member, the error text for a value that must be blank, where it is known.
MUST_BE_BLANK: Final = {
    ("sip_configurations", name): f"{name} must be blank when the SIP registration is enabled"
    for name in ("host", "port")
}

# Attributes of requests that no recorded response contains.
NOT_SHOWN: Final = frozenset({("orders", "allow_back_ordering")})

# Relationships with special errors: title, detail, pointer.
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
