"""The base class of authentication methods, and the class of unknown ones."""

from __future__ import annotations

from didww._schema.nested import Nested


class AuthenticationMethod(Nested):
    """The base class of the authentication methods of voice OUT trunks.

    Source: tests/contract/facts/voice_out_trunks.yaml.
    """


class GenericAuthenticationMethod(AuthenticationMethod):
    """A method unknown to this SDK version. Attributes are raw JSON values; updates send it back unchanged."""


AuthenticationMethod.fallback = GenericAuthenticationMethod
