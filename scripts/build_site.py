"""Build the documentation site into build/site, and check its links; needs no network.

The pages come from docs/, CHANGELOG.md, CONTRIBUTING.md, SECURITY.md and examples/. The navigation follows the order of
the links in the index page of each section. `llms.txt` lists the pages, `llms-full.txt` has all their text, and each
page is in the site as Markdown, too.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
PAGES = BUILD / "docs"
SITE = BUILD / "site"
LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<path>[^)#\s:]+)(?P<anchor>#[^)\s]*)?\)")
CODE = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
CONTENTS = re.compile(r"\n(?:- \[[^\]]*\]\(#[^)]*\)\n){3,}")
REMOTE_SCRIPT = re.compile(r'<script src="https://unpkg\.com/iframe-worker/shim"[^>]*></script>')

# Sections of the navigation: title, and the folder whose index page lists their pages.
SECTIONS = {
    "How-to": "how-to",
    "Explanation": "explanation",
    "Reference": "reference",
    "Examples": "examples",
    "Migration": "migration",
}
FILES = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md", "SECURITY.md": "security-policy.md"}


def main() -> int:
    """Build the site; return 1 if it has a broken link."""
    shutil.rmtree(BUILD / "docs", ignore_errors=True)
    shutil.rmtree(SITE, ignore_errors=True)
    sources = copy_pages()
    problems = unlisted(sources)
    if any(problem.endswith("is missing.") for problem in problems):
        print(*problems, sep="\n")
        return 1
    nav = navigation()
    problems += not_in_navigation(nav)
    text = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    text = text.replace("[project]\n", f"[project]\nnav = {inline(nav)}\n", 1)
    if tomllib.loads(text)["project"].get("nav") != nav:
        raise ValueError("zensical.toml has no line [project].")
    configuration = BUILD / "zensical.toml"
    configuration.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "--config-file", str(configuration)],
        cwd=BUILD,
        check=False,
    )
    if done.returncode:
        return done.returncode
    finish(nav)
    problems += broken_links()
    for problem in problems:
        print(problem)
    print(f"{len(list(SITE.rglob('*.html')))} pages in {SITE}, {len(problems)} problems")
    return int(bool(problems))


# Pages


def copy_pages() -> dict[Path, Path]:
    """Copy all pages to build/docs, with links adapted; return the page made from each source."""
    sources: dict[Path, Path] = {}
    for path in sorted((ROOT / "docs").rglob("*")):
        if path.is_file():
            sources[path] = PAGES / path.relative_to(ROOT / "docs")
    sources |= {ROOT / name: PAGES / page for name, page in FILES.items() if (ROOT / name).exists()}
    for path in sorted((ROOT / "examples").glob("*.*")):
        sources[path] = PAGES / "examples" / (f"{path.stem}.md" if path.suffix == ".py" else path.name)
    sources[ROOT / "examples" / "README.md"] = PAGES / "examples" / "index.md"
    for source, page in sources.items():
        page.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".md":
            page.write_text(adapted(source.read_text(encoding="utf-8"), source, sources), encoding="utf-8")
        elif source.suffix == ".py":
            page.write_text(program_page(source), encoding="utf-8")
        else:
            shutil.copy(source, page)
    return sources


def adapted(text: str, source: Path, sources: dict[Path, Path]) -> str:
    """Return the text of a page whose links lead to the pages of the site."""

    def target(link: re.Match[str]) -> str:
        path = (source.parent / unquote(link["path"])).resolve()
        if path.is_dir() and (path / "README.md" in sources or path / "index.md" in sources):
            path = path / ("README.md" if path / "README.md" in sources else "index.md")
        page = PAGES / "index.md" if path == ROOT / "README.md" else sources.get(path)
        if page is None:  # a file of the repository that is no page, or else a broken link that the build reports
            return link["text"] if path.exists() else link[0]
        relative = os.path.relpath(page, sources[source].parent).replace(os.sep, "/")
        return f"[{link['text']}]({relative}{link['anchor'] or ''})"

    text = CONTENTS.sub("\n", text, count=1)  # the site has it beside the page
    blocks = {match.start(): match.end() for match in CODE.finditer(text)}
    parts: list[str] = []
    position = 0
    for start, end in blocks.items():
        parts += [LINK.sub(target, text[position:start]), text[start:end]]
        position = end
    return "".join([*parts, LINK.sub(target, text[position:])])


def program_page(source: Path) -> str:
    """Return the page of an example program: the first line of its docstring, and the whole program."""
    code = source.read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(code)) or source.stem
    return f"# {source.name}\n\n{docstring.partition(chr(10))[0]}\n\n```python\n{code}```\n"


def unlisted(sources: dict[Path, Path]) -> list[str]:
    """Return a problem for each page that the index page of its section does not list."""
    problems: list[str] = []
    for folder in SECTIONS.values():
        index = PAGES / folder / "index.md"
        if not index.exists():
            problems.append(f"{folder}/index.md is missing.")
            continue
        linked = {page for page, _ in listed(index)}
        problems += [
            f"{page.relative_to(PAGES)} is not listed in {folder}/index.md."
            for page in sorted(set(sources.values()))
            if page.parent == index.parent and page.suffix == ".md" and page not in {*linked, index}
        ]
    return problems


def not_in_navigation(nav: list[Entry]) -> list[str]:
    """Return a problem for each page that the navigation does not have."""
    known = {PAGES / path for path in flat(nav)}
    return [f"{relative(page)} is not in the navigation." for page in sorted(PAGES.rglob("*.md")) if page not in known]


def listed(index: Path) -> Iterator[tuple[Path, str]]:
    """Yield the pages that an index page links to, below its own folder, with the texts of the links."""
    for text, path in re.findall(r"\[([^\]]*)\]\(([^)#\s:]+\.md)\)", index.read_text(encoding="utf-8")):
        page = (index.parent / path).resolve()
        if page.is_relative_to(index.parent) and page.exists():
            yield page, text


def title_of(page: Path) -> str:
    """Return the title of a page."""
    found = re.search(r"^# (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1].replace("`", "") if found else page.stem


Entry = dict[str, "str | list[Entry | str]"]


def navigation() -> list[Entry]:
    """Return the navigation of the site."""
    nav: list[Entry] = [{"Home": "index.md"}, {"Tutorial": "tutorial.md"}]
    nav.append({"Tutorial: call records": "tutorial-call-records.md"})
    nav += [{title: section(PAGES / folder / "index.md")} for title, folder in SECTIONS.items()]
    project = [("Comparison", "comparison.md"), ("Architecture", "architecture.md"), ("Changelog", "changelog.md")]
    project += [("Contributing", "contributing.md"), ("Security", "security-policy.md")]
    nav.append({"Project": [{title: page} for title, page in project if (PAGES / page).exists()]})
    return [entry for entry in nav for page in entry.values() if isinstance(page, list) or (PAGES / page).exists()]


def section(index: Path) -> list[Entry | str]:
    """Return the pages of a section in the order of its index page; an index page in it begins a section of its own."""
    entries: list[Entry | str] = [relative(index)]
    seen = {index}
    for page, _ in listed(index):
        if page in seen:
            continue
        seen.add(page)
        if page.name == "index.md":
            entries.append({title_of(page): section(page)})
        elif page.parent == index.parent or not (page.parent / "index.md").exists():
            entries.append({title_of(page): relative(page)})
    return entries


def relative(page: Path) -> str:
    """Return the path of a page below build/docs."""
    return page.relative_to(PAGES).as_posix()


def inline(value: object) -> str:
    """Return a value as inline TOML."""
    if isinstance(value, list):
        return f"[{', '.join(map(inline, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{json.dumps(name)} = {inline(item)}' for name, item in value.items())} }}"
    return json.dumps(value, ensure_ascii=False)


# The finished site


def finish(nav: list[Entry]) -> None:
    """Replace the only remote script, and add the pages as Markdown, `llms.txt` and `llms-full.txt`."""
    (SITE / "404.html").unlink(missing_ok=True)  # its links need a site at the root of a host
    for html in SITE.rglob("*.html"):
        up = "../" * (len(html.relative_to(SITE).parts) - 1)
        text = html.read_text(encoding="utf-8")
        html.write_text(REMOTE_SCRIPT.sub(f'<script src="{up}assets/worker.js"></script>', text), encoding="utf-8")
    lines = [
        "# didww",
        "",
        (
            "> Python SDK for DIDWW API v3: phone numbers, SIP trunks, capacity, registration and call records. "
            "Typed, synchronous and asynchronous, with an emulator of the service and the `didww` command. The "
            "distribution is `didww-sdk`, the import `didww`."
        ),
        "",
        "The text of all pages is in [llms-full.txt](llms-full.txt).",
    ]
    pages: list[Path] = []
    for entry in nav:
        for title, page in entry.items():
            lines += ["", f"## {title}", ""]
            for path in flat(page):
                pages.append(PAGES / path)
                lines.append(f"- [{title_of(PAGES / path)}]({path}): {first_sentence(PAGES / path)}")
    (SITE / "llms.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    whole = "\n\n".join(
        f"<!-- {relative(page)} -->\n\n{page.read_text(encoding='utf-8').strip()}" for page in dict.fromkeys(pages)
    )
    (SITE / "llms-full.txt").write_text(f"{whole}\n", encoding="utf-8")
    for page in PAGES.rglob("*.md"):
        (SITE / page.relative_to(PAGES)).write_text(page.read_text(encoding="utf-8"), encoding="utf-8")


def flat(entry: object) -> Iterator[str]:
    """Yield the pages of a part of the navigation."""
    if isinstance(entry, str):
        yield entry
    elif isinstance(entry, list):
        for item in entry:
            yield from flat(item)
    elif isinstance(entry, dict):
        for item in entry.values():
            yield from flat(item)


def first_sentence(page: Path) -> str:
    """Return the first sentence of a page below its title."""
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    paragraphs = [part for part in text.split("\n\n") if not part.lstrip().startswith(("#", "<!--", "|", "- "))]
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(paragraphs[0].split())) if paragraphs else ""
    found = re.match(r".+?\.(?=\s|$)", plain)
    return found[0] if found else plain


class Links(HTMLParser):
    """The links and anchors of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect ids, and the targets of links and resources."""
        values = dict(attrs)
        self.anchors |= {value for name in ("id", "name") if (value := values.get(name))}
        for name in ("href", "src", "srcset", "poster"):
            if (value := values.get(name)) is not None:
                self.links += (
                    [(tag, part.split()[0]) for part in value.split(",")] if name == "srcset" else [(tag, value)]
                )


def broken_links() -> list[str]:
    """Return a problem for each link of the site that leads nowhere, and for each resource of another host."""
    pages: dict[Path, Links] = {}
    for html in SITE.rglob("*.html"):
        pages[html] = Links()
        pages[html].feed(html.read_text(encoding="utf-8"))
    problems = [
        f"{sheet.relative_to(SITE)}: loads {url}"
        for sheet in sorted(SITE.rglob("*.css"))
        for url in re.findall(r"(?:url\(|@import )[\"']?((?:https?:)?//[^\"')\s]+)", sheet.read_text(encoding="utf-8"))
    ]
    for html, page in pages.items():
        for tag, link in page.links:
            where = html.relative_to(SITE)
            if re.match(r"[a-z]+:|//", link):
                if tag != "a" and not link.startswith("data:"):
                    problems.append(f"{where}: {tag} of another host: {link}")
                continue
            path, _, anchor = link.partition("#")
            target = html if not path else (html.parent / PurePosixPath(unquote(path))).resolve()
            target = target / "index.html" if target.is_dir() else target
            if not (target.exists() and target.is_relative_to(SITE)):
                problems.append(f"{where}: no page {link}")
            elif anchor and target in pages and unquote(anchor) not in pages[target].anchors:
                problems.append(f"{where}: no heading {link}")
    return problems


if __name__ == "__main__":
    raise SystemExit(main())
