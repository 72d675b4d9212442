"""What all ways of authentication share."""

from __future__ import annotations

from didww._schema.record import Nested


class AuthenticationMethod(Nested):
    """How a voice OUT trunk knows its callers: the base of all methods.

    Source: tests/contract/facts/voice_out_trunks.yaml.
    """


class GenericAuthenticationMethod(AuthenticationMethod):
    """A method that is newer than this SDK: its attributes are raw values, and it is sent back unchanged."""


AuthenticationMethod.fallback = GenericAuthenticationMethod
