"""`didww sms-trunks list`, `create`, `update` and `delete`: those of the resource type."""

from __future__ import annotations

from typing import Final

from didww.cli.records.commands import build
from didww.resources.sms_trunk import SmsTrunk

__all__ = ["create", "delete", "list_", "update"]

_PATH: Final = "didww sms-trunks"

list_ = build(SmsTrunk, "list", _PATH)
create = build(SmsTrunk, "create", _PATH)
update = build(SmsTrunk, "update", _PATH)
delete = build(SmsTrunk, "delete", _PATH)
