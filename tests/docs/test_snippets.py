"""Every page and every example is run, so that what a reader types is what was tested.

A page's ``python`` fences run in order in one namespace; those written with ``>>>`` are compared with what they show.
A fence that cannot run here says why: ```` ```python no-run: needs a live feed````. Commands that name a file and links
that stay inside the repository have to lead somewhere.
"""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE_SECONDS = 60
SHELLS = {"sh", "bash", "shell", "console"}


def pages(root: Path) -> list[Path]:
    return [page for page in (root / "README.md", *sorted((root / "docs").rglob("*.md"))) if page.is_file()]


PAGES = pages(ROOT)
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# ------------------------------------------------------------------ reading a page


@dataclass(frozen=True)
class Fence:
    info: str  # what follows the backticks
    line: int  # the line of its first line of content, counted from 1
    text: str

    @property
    def language(self) -> str:
        return self.info.split(" ")[0].lower()


def fences(text: str) -> Iterator[Fence]:
    """The fenced blocks of a page, those inside lists included (they lose their indent)."""
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        opening = re.match(r"(\s*)(`{3,}|~{3,})\s*([^`]*)$", lines[at])
        at += 1
        if opening is None:
            continue
        indent, ticks, info = opening.groups()
        start = at
        closing = re.compile(rf"\s*{re.escape(ticks[0])}{{{len(ticks)},}}\s*$")
        while at < len(lines) and not closing.match(lines[at]):
            at += 1
        if at == len(lines):
            raise AssertionError(f"the fence that opens on line {start} is never closed")
        body = [line.removeprefix(indent) for line in lines[start:at]]
        yield Fence(info.strip(), start + 1, "\n".join(body) + "\n")
        at += 1


def runnable(fence: Fence) -> bool:
    """Whether a Python fence is to be run; one that is not has to say why."""
    if fence.language not in ("python", "py", "pycon"):
        return False
    rest = fence.info[len(fence.language) :].strip()
    skipped = re.fullmatch(r"no-run:\s*(\S.*)", rest)
    assert not rest or skipped, f"line {fence.line - 1}: {fence.info!r}; write: python no-run: <reason>"
    return skipped is None


def run_page(text: str, filename: str, namespace: dict[str, object]) -> int:
    """Run the Python of a page in order, in one namespace, and say how many blocks ran."""
    blocks = [fence for fence in fences(text) if runnable(fence)]
    for block in blocks:
        if block.text.lstrip().startswith(">>>"):
            _run_session(block, filename, namespace)
        else:
            # Blank lines in front put every statement on its line of the page, so a traceback points into the page.
            padded = "\n" * (block.line - 1) + block.text
            exec(compile(padded, filename, "exec", dont_inherit=True), namespace)  # noqa: S102  # our own pages
    return len(blocks)


def _run_session(block: Fence, filename: str, namespace: dict[str, object]) -> None:
    test = doctest.DocTestParser().get_doctest(block.text, namespace, filename, filename, block.line - 1)
    said: list[str] = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    failed, _ = runner.run(test, out=said.append, clear_globs=False)
    namespace.update(test.globs)  # doctest works on a copy; later blocks go on from here
    if failed:
        pytest.fail("".join(said), pytrace=False)


def missing_commands(text: str, root: Path) -> list[str]:
    """Files named by ``python some/file.py`` in a shell fence that are not there."""
    shell = [fence for fence in fences(text) if fence.language in SHELLS]
    named = [
        (fence.line + number, found[1])
        for fence in shell
        for number, line in enumerate(fence.text.splitlines())
        if (found := re.match(r"\s*(?:\$ )?python3?\s+(?!-)(\S+\.py)\b", line))
    ]
    return [f"line {line}: {file}" for line, file in named if not (root / file).is_file()]


def broken_links(text: str, page: Path, root: Path) -> list[str]:
    """Relative links, inline or by reference, that lead to no file of this repository."""
    lines = text.splitlines()
    for fence in fences(text):
        lines[fence.line - 1 : fence.line - 1 + fence.text.count("\n")] = [""] * fence.text.count("\n")
    text = re.sub(r"`[^`\n]+`", "", "\n".join(lines))
    targets = re.findall(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)", text)
    targets += re.findall(r"^\s{0,3}\[[^\]]+\]:\s*<?([^\s>]+)", text, re.MULTILINE)
    inside = [target for target in targets if not re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|#|//", target)]
    return [target for target in inside if not _leads_somewhere((page.parent / target.split("#")[0]).resolve(), root)]


def _leads_somewhere(path: Path, root: Path) -> bool:
    return path.is_relative_to(root) and path.exists()


# ------------------------------------------------------------------ the tests


def test_there_are_pages_and_examples() -> None:
    """Without this, an empty list of pages would pass as a full one."""
    assert ROOT / "README.md" in PAGES, "README.md is missing"
    assert len(PAGES) > 1, "no page under docs/"
    assert EXAMPLES, "no example under examples/"


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_python_on_the_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("docs_page")  # a real module, because dataclasses look theirs up by name
    monkeypatch.setitem(sys.modules, "docs_page", module)
    monkeypatch.chdir(tmp_path)  # files that a page writes go here
    run_page(page.read_text(encoding="utf-8"), str(page), module.__dict__)


def test_readme_has_python_that_runs() -> None:
    blocks = [fence for page in PAGES[:1] for fence in fences(page.read_text(encoding="utf-8")) if runnable(fence)]
    assert blocks, "README.md shows no Python that runs"


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_commands_on_the_page_name_files_that_exist(page: Path) -> None:
    assert missing_commands(page.read_text(encoding="utf-8"), ROOT) == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_on_the_page_lead_somewhere(page: Path) -> None:
    assert broken_links(page.read_text(encoding="utf-8"), page, ROOT) == []


@pytest.mark.parametrize("example", EXAMPLES, ids=_name)
def test_example_runs(example: Path, tmp_path: Path, child_env: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, str(example)],
        cwd=tmp_path,
        env=child_env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=EXAMPLE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip(), "an example that prints nothing shows nothing"


# ------------------------------------------------------------------ the checks can fail


def test_blocks_share_a_namespace_in_order() -> None:
    page = "```python\nx = 1\n```\n\n- item\n\n  ```python\n  >>> x + 1\n  2\n  >>> y = 'a long text'\n  ```\n"
    namespace: dict[str, object] = {}
    assert run_page(page + "```python\nassert y\n```\n```json\n{\n```\n", "page.md", namespace) == 3


def test_traceback_points_at_the_line_of_the_page() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        run_page("# Title\n\n```python\nx = 1\nx / 0\n```\n", "page.md", {})
    last = caught.traceback[-1]
    assert (Path(str(last.path)).name, last.lineno + 1) == ("page.md", 5)


def test_wrong_output_is_reported_with_its_line() -> None:
    with pytest.raises(pytest.fail.Exception, match=r'"page.md", line 3'):
        run_page("one\n```pycon\n>>> 1 + 1\n3\n```\n", "page.md", {})


def test_no_run_needs_a_reason() -> None:
    assert run_page("```python no-run: needs a live feed\n1 / 0\n```\n", "page.md", {}) == 0
    for info in ("python no-run", "python no-run:", "python norun: why"):
        with pytest.raises(AssertionError, match="line 1"):
            run_page(f"```{info}\n1 / 0\n```\n", "page.md", {})


def test_open_fence_is_reported() -> None:
    with pytest.raises(AssertionError, match="line 2 is never closed"):
        run_page("text\n```python\nx = 1\n", "page.md", {})


def test_missing_files_are_reported(tmp_path: Path) -> None:
    (tmp_path / "here.md").write_text("x")
    page = "```sh\npython here.md\npython examples/a.py --fast\npython -m papertrade demo\n```\n"
    assert missing_commands(page, tmp_path) == ["line 3: examples/a.py"]
    text = "[a](here.md) [b](gone.md#part) [c](https://x.org) [d](#top) `[e](no)` ![f](../f.png)\n\n[g]: h.md\n"
    text += "- code is not prose:\n\n  ```\n  [y](z)\n  ```\n"
    assert broken_links(text, tmp_path / "here.md", tmp_path) == ["gone.md#part", "../f.png", "h.md"]
