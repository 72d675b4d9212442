"""Write the pictures of the documentation: screens of the command as SVG, pages of the console as PNG.

python scripts/pictures.py             the screens; the emulator has a frozen clock, so the same code gives the same
python scripts/pictures.py --console   the pages of the console, too; needs Chromium
python scripts/pictures.py --check     compare the screens with those in docs/assets
"""

from __future__ import annotations

import io
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from didww._server.asgi_server import served  # noqa: E402 after the path
from didww.emulator import Clock, Emulator  # noqa: E402
from didww.emulator.controls.clock import parse_datetime  # noqa: E402
from didww.emulator.http.server import Server  # noqa: E402
from support.command import Command  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

ASSETS = ROOT / "docs" / "assets"
NOW = "2026-03-15T12:00:00Z"
COLUMNS = 104
THEME = TerminalTheme(
    (250, 250, 250),
    (36, 41, 47),
    [
        (36, 41, 47),
        (179, 38, 30),
        (26, 127, 55),
        (154, 103, 0),
        (9, 80, 174),
        (130, 80, 223),
        (0, 118, 125),
        (87, 96, 106),
    ],
    [
        (87, 96, 106),
        (179, 38, 30),
        (26, 127, 55),
        (154, 103, 0),
        (9, 80, 174),
        (130, 80, 223),
        (0, 118, 125),
        (36, 41, 47),
    ],
)

# Each picture: commands, each with what is typed at its question.
SCREENS: dict[str, tuple[tuple[str, str], ...]] = {
    "search": (("numbers search IE --no-registration --limit 6", ""),),
    "buy": (
        ("trunks create Main --sip sip.example.com", ""),
        ("numbers buy GB --city London --channels 0 --qty 2 --trunk Main", "y"),
    ),
    "platforms": (("trunks presets", ""),),
}

# What happened before the pictures of the console: commands, and its pages.
CONSOLE = (
    "trunks create Main --sip sip.example.com",
    "trunks create Backup --sip backup.example.com",
    "groups create Office --trunk Main --trunk Backup",
    "numbers buy GB --city London --channels 0 --qty 3 --trunk Main --yes",
    "numbers buy GB --city Manchester --channels 0 --qty 2 --group Office --yes",
    "trunks create Main --sip sip.example.com",
)
PAGES = {"overview": "", "calls": "calls"}


def screens() -> Iterator[tuple[Path, str]]:
    """Yield the path and the SVG of each screen."""
    for name, lines in SCREENS.items():
        with (
            tempfile.TemporaryDirectory() as home,
            Emulator(clock=Clock(parse_datetime(NOW), running=False)) as emulator,
        ):
            emulator.transitions.set("orders", after=0)
            server = Server(emulator)
            with served(server):
                didww = Command(emulator, server.base_url, Path(home))
                text = "\n\n".join(
                    f"\x1b[1m$ didww {line}\x1b[0m\n{screen(didww, line, typed)}" for line, typed in lines
                )
                text = text.replace(server.base_url, "http://127.0.0.1:8750/v3")
        yield ASSETS / f"{name}.svg", svg(text, name)


def screen(didww: Command, line: str, typed: str) -> str:
    """Run a command in a terminal and return what it shows, with its colors."""
    environment = {"NO_COLOR": "", "COLORTERM": "", "COLUMNS": str(COLUMNS)}  # in place of those of the caller
    with didww.terminal(line, columns=COLUMNS, **environment) as terminal:
        if typed:
            terminal.expect("[y/N]")
            terminal.send(f"{typed}\n")
        if code := terminal.wait():
            raise SystemExit(f"didww {line}: exit code {code}\n{terminal.text}")
        raw = terminal.raw.decode()
    lines: list[str] = []
    for part in raw.replace("\r\n", "\n").split("\n"):
        if "\x1b[1A" in part:  # back to a line that is written again, such as that of a spinner
            lines.pop()
        shown = part.rpartition("\x1b[2K")[2].rpartition("\r")[2]
        lines.append(re.sub(r"\x1b\[[0-9;?]*[A-Zac-ln-z]", "", shown).rstrip())  # colors end in m, and stay
    return "\n".join(lines).strip("\n")


def svg(text: str, name: str) -> str:
    """Return a terminal screen as an SVG that loads no fonts."""
    console = Console(
        record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor", _environ={}
    )
    console.print(Text.from_ansi(text), soft_wrap=False)
    template = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    template = template.replace("Fira Code", "ui-monospace, Menlo, Consolas, DejaVu Sans Mono")
    return console.export_svg(title="", theme=THEME, code_format=template, unique_id=name)


def photograph() -> None:
    """Take pictures of pages of the console, with numbers, trunks and a refused order."""
    from playwright.sync_api import sync_playwright

    clock = Clock(parse_datetime("2026-03-12T17:40:00Z"), running=False)
    with tempfile.TemporaryDirectory() as home, Emulator(clock=clock) as emulator:
        emulator.transitions.set("orders", after=0)
        server = Server(emulator)
        with served(server), sync_playwright() as playwright:
            didww = Command(emulator, server.base_url, Path(home))
            for line in CONSOLE:
                didww(line)
            emulator.calls.rate(40)
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
            for name, path in PAGES.items():
                page.goto(server.base_url.replace("/v3", f"/_emulator/console/{path}"))
                page.screenshot(path=str(ASSETS / f"console-{name}.png"))
            browser.close()


def main() -> int:
    """Write the pictures, or compare the screens."""
    outdated: list[str] = []
    for path, text in screens():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            outdated.append(path.name)
            if "--check" not in sys.argv:
                path.write_text(text, encoding="utf-8", newline="\n")
    if "--console" in sys.argv:
        photograph()
    if "--check" in sys.argv and outdated:
        print("Outdated, run scripts/pictures.py:", *outdated)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
