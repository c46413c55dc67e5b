"""The page `docs/settings.md`, written from the table of settings itself.

`python -m postroom.management.settings_page > docs/settings.md` writes it; a test compares.
"""

from collections.abc import Sequence

from postroom.management.environment import Setting

_BEFORE = """\
# Settings

Read once from the environment when a process starts. Values marked *secret* may also come from a
file: set `NAME_FILE` to its path instead of `NAME`. A value that cannot be used ends the start with
one sentence that says why. Set the same values for every role of an installation.

| name | default | unit | why |
|---|---|---|---|
"""


def page(table: Sequence[Setting]) -> str:
    """Gives the whole page."""
    return _BEFORE + "".join(map(_line, table))


def _line(setting: Setting) -> str:
    default = f"`{setting.default}`" if setting.default else "unset"
    unit = f"{setting.unit}, *secret*" if setting.is_secret else setting.unit
    return f"| `{setting.name}` | {default} | {unit} | {setting.reason} |\n"


if __name__ == "__main__":
    from postroom import settings

    print(page(settings.POSTROOM_TABLE), end="")
