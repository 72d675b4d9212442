"""Encrypt and upload files once: what a run that was interrupted has uploaded is found by its contents."""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeVar

import click

from didww.cli import parameters
from didww.cli.dry_run import DryRunError
from didww.exceptions import NotExactlyOneError, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from didww._core.download import Progress
    from didww.cli.session import Session

__all__ = ["FILE", "Document", "create_record", "document", "kind_named", "proof_file", "type_named"]

FILE: Final = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
MAX_FILES: Final = 5
_PLACEHOLDER: Final = "00000000-0000-0000-0000-000000000000"


class _Named(Protocol):
    """A proof type or a template."""

    name: str


K = TypeVar("K", bound=_Named)


class Document(NamedTuple):
    """A document to store: its type or template, whose it is, and its files.

    Attributes:
        kind: The proof type, or the template of a form.
        owner: The identity or address.
        files: The files.
        reference: The external reference, made from the contents.
    """

    kind: Any
    owner: Any
    files: tuple[Path, ...]
    reference: str

    @property
    def names(self) -> str:
        """The names of the files."""
        return ", ".join(file.name for file in self.files)

    @property
    def is_form(self) -> bool:
        """Whether it is a permanent document, not a proof."""
        return str(self.kind.type) == "supporting_document_templates"

    def is_stored(self) -> bool:
        """Return whether the owner has it already. Its documents must be loaded."""
        stored: list[Any] = self.owner.permanent_documents if self.is_form else self.owner.proofs
        return self.reference in {each.external_reference_id for each in stored}

    def store(self, session: Session) -> Any:
        """Upload the files and create the document."""
        from didww.resources.permanent_supporting_document import PermanentSupportingDocument
        from didww.resources.proof import Proof

        client = session.client
        if self.is_form:
            form = PermanentSupportingDocument(
                template=self.kind, identity=self.owner, external_reference_id=self.reference
            )
            return create_record(session, client.permanent_supporting_documents(), form, "files", self.files)
        proof = Proof(proof_type=self.kind, entity=self.owner, external_reference_id=self.reference)
        return create_record(session, client.proofs(), proof, "files", self.files)


def document(kind: Any, owner: Any, files: Sequence[Path], reference: str | None = None) -> Document:
    """Return a document; its reference says type, owner and contents, so that it is found again.

    Raises:
        UsageError: There are more files than a document may have.
    """
    if len(files) > MAX_FILES:
        raise click.UsageError(f"A document has at most {MAX_FILES} files, got {len(files)}.")
    files = tuple(dict.fromkeys(files))
    digest = hashlib.sha256(f"{kind.id} {owner.id}".encode())
    for path in files:
        digest.update(_digest(path).encode())
    return Document(kind, owner, files, reference or f"didww-cli-{digest.hexdigest()[:40]}")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def create_record(session: Session, endpoint: Any, record: Any, field: str, files: Sequence[Path]) -> Any:
    """Upload files, attach them, and create the record.

    Files that were uploaded for this record before, and not attached, are not uploaded again.
    """
    known = _uploads(session) if files else {}
    keys = {path: f"{path.name} ({record.external_reference_id}/{_digest(path)[:8]})" for path in files}
    reused = [path for path in files if keys[path] in known]
    uploads = [known.get(keys[path]) or _upload(session, path, keys[path]) for path in files]
    if uploads:
        setattr(record, field, uploads)
    try:
        return _create(endpoint, record)
    except ValidationError:
        if not reused:
            raise
        setattr(record, field, [_upload(session, path, keys[path]) for path in files])  # the others were attached
        return _create(endpoint, record)


def _create(endpoint: Any, record: Any) -> Any:
    try:
        return endpoint.create(record).data
    except DryRunError:
        return record.build(_PLACEHOLDER)


def _uploads(session: Session) -> dict[str, Any]:
    return {each.description: each for each in session.client.encrypted_files().iterate() if each.description}


def _upload(session: Session, path: Path, description: str) -> Any:
    from didww.cli.terminal import waiting
    from didww.resources.encrypted_file import EncryptedFile

    try:
        if not sys.stderr.isatty():
            uploaded = session.client.upload_file(path, description=description)
        else:
            with waiting(f"Uploading {path.name}") as tell:

                def show(progress: Progress) -> None:
                    tell(f"{progress.done * 100 // max(progress.total or 1, 1)} %")

                uploaded = session.client.upload_file(path, description=description, progress=show)
    except DryRunError:
        return EncryptedFile.build(_PLACEHOLDER)
    session.say(f"Uploaded {path.name}.")
    return uploaded


def proof_file(value: Any) -> tuple[str, Path]:
    """Return type and file of a text such as `passport=scan.pdf`."""
    name, text = parameters.pair(value)
    return name, FILE.convert(text, None, None)


def kind_named(kinds: Iterable[K], text: str) -> K | None:
    """Return the proof type or form of a name, in any case and with or without spaces and dashes."""
    return next((each for each in kinds if _key(each.name) == _key(text)), None)


def type_named(kinds: Sequence[K], text: str, what: str) -> K:
    """Return the proof type or form of a name.

    Raises:
        NotExactlyOneError: There is none.
    """
    found = kind_named(kinds, text)
    if found is None:
        names = ", ".join(each.name for each in kinds) or "none"
        raise NotExactlyOneError(f"There is no {what} {text!r:.80}. Accepted: {names}.")
    return found


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())
