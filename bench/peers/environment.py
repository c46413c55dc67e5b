"""The peers' own installations, made on demand in the user's cache, from locks with hashes."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

_HERE = Path(__file__).parent
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "postroom-bench"
_INSTALL_S_MAX = 600


def python() -> Path | None:
    """An interpreter that has Celery, django-post_office and Anymail; None: it cannot be had."""
    home = _place_of("requirements.lock")
    program = home / "bin" / "python"
    lock = _HERE / "requirements.lock"
    install = [str(program), "-m", "pip", "install", "--quiet", "--require-hashes"]
    steps = [[sys.executable, "-m", "venv", "--clear", str(home)], [*install, "-r", str(lock)]]
    return program if _is_made(home, steps) else None


def haraka() -> Path | None:
    """Haraka's program; None: there is no Node.js, or it cannot be had."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return None
    home = _place_of("package-lock.json")
    home.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_HERE / name, home / name)
    quiet = ["--no-audit", "--no-fund", "--loglevel", "error"]
    install = [npm, "ci", "--prefix", str(home), "--omit", "optional", "--ignore-scripts", *quiet]
    made = _is_made(home, [install])
    return home / "node_modules" / ".bin" / "haraka" if made else None


def _place_of(lock: str) -> Path:
    """Another one for another lock."""
    return _CACHE / f"{lock}-{sha256((_HERE / lock).read_bytes()).hexdigest()[:16]}"


def _is_made(home: Path, steps: Sequence[Sequence[str]]) -> bool:
    """Whether all of it is there, from an earlier run or from now on."""
    whole = home / "is-whole"
    if whole.exists():
        return True
    try:
        for words in steps:
            subprocess.run(words, check=True, timeout=_INSTALL_S_MAX, stdout=sys.stderr)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"this peer cannot be installed: {error}", file=sys.stderr)
        return False
    whole.touch()
    return True
