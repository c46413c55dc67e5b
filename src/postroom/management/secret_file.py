"""Secrets that an installation makes for itself and keeps in a file of mode 0600."""

import os
import secrets
from pathlib import Path


def read_or_make(file: Path) -> str:
    """Gives the secret kept in `file`; makes one of 256 random bits where there is none.

    Safe against another process that does the same at the same time: the first one wins, and
    both get its secret.
    """
    if not file.exists():
        write_once(file, secrets.token_urlsafe(32))
    return file.read_text(encoding="ascii").strip()


def write_once(file: Path, content: str) -> None:
    """Writes `content`, durable and readable by its owner alone, unless `file` exists already."""
    draft = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(draft, file)
    except FileExistsError:
        pass  # another process was first: its content stands
    finally:
        draft.unlink()
