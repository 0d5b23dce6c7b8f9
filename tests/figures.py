"""The size and shape of the code in figures: `make figures`. The bounds at its end are held by tests/test_architecture.py.

    python3 -m tests.figures [CHECKOUT] [--list]

Reads source, runs none of it, and needs the standard library only. CHECKOUT is the folder of another version, printed
beside this one. `--list` adds every public function without a docstring.

A function's length runs from its `def` line to its last line. A function is public if its name has no leading
underscore. Percentiles are the nearest value from below.
"""

import argparse
import ast
import io
import statistics
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]

# Bounds in lines for regserver/ as a whole: median, 90th percentile, longest.
FILE_BOUNDS = (90, 200, 350)
FUNCTION_BOUNDS = (6, 16, 40)
DOCUMENTED_PERCENT = 80

_LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


@dataclass(frozen=True)
class Function:
    """One `def`: where it stands, how many lines it has, whether it is public and has a docstring."""

    name: str
    line: int
    length: int
    public: bool
    documented: bool


@dataclass(frozen=True)
class Source:
    """One file of Python: its lines by kind, and its functions, nested ones too.

    Lines of code are those without blanks, comments and docstrings; `imports` says how many of them only import.
    """

    path: Path
    lines: int
    code: int
    imports: int
    comments: int
    docstrings: int
    functions: list[Function]


@dataclass(frozen=True)
class Shape:
    """Median, 90th percentile and maximum of some lengths."""

    median: float
    p90: int
    longest: int

    def __str__(self) -> str:
        return f"{self.median:g}/{self.p90}/{self.longest}"

    def within(self, bounds: tuple[int, int, int]) -> bool:
        """Tells whether each of the three is at most its bound."""
        return self.median <= bounds[0] and self.p90 <= bounds[1] and self.longest <= bounds[2]


@dataclass
class Part:
    """The files of regserver/ or of one package in it, and the lines of the tests that belong to them."""

    name: str
    sources: list[Source] = field(default_factory=list)
    test_lines: int = 0

    @property
    def functions(self) -> list[Function]:
        return [function for source in self.sources for function in source.functions]

    @property
    def files(self) -> Shape:
        return shape([source.lines for source in self.sources])

    @property
    def lengths(self) -> Shape:
        return shape([function.length for function in self.functions])

    @property
    def documented(self) -> float:
        """The percentage of public functions that have a docstring."""
        public = [function.documented for function in self.functions if function.public]
        return 100 * sum(public) / len(public) if public else 100

    def total(self, kind: str) -> int:
        """Adds up one count of all files: `lines`, `code`, `imports`, `comments` or `docstrings`."""
        return sum(getattr(source, kind) for source in self.sources)


def shape(lengths: Sequence[int]) -> Shape:
    """Returns median, 90th percentile and maximum; zeros if there is nothing."""
    if not lengths:
        return Shape(0, 0, 0)
    ordered = sorted(lengths)
    return Shape(statistics.median(ordered), ordered[(len(ordered) - 1) * 9 // 10], ordered[-1])


def read(path: Path) -> Source:
    """Counts the lines of a file and finds its functions."""
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    comments = {token.start[0] for token in tokens if token.type == tokenize.COMMENT}
    written = {
        line
        for token in tokens
        if token.type not in _LAYOUT
        for line in range(token.start[0], token.end[0] + 1)
    }
    docstrings = set(_docstring_lines(tree))
    return Source(
        path,
        text.count("\n"),
        len(written - docstrings),
        sum(_height(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)),
        len(comments - written),
        len(docstrings),
        list(_functions(tree)),
    )


def _height(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _docstring_lines(tree: ast.Module) -> Iterator[int]:
    """Yields the lines of strings that stand alone as a statement: docstrings, and those below an attribute."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            yield from range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _functions(tree: ast.AST, *, nested: bool = False) -> Iterator[Function]:
    """Yields the functions below a node. A function inside another is not public: nobody else can call it."""
    for node in ast.iter_child_nodes(tree):
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Function(
                node.name,
                node.lineno,
                _height(node),
                not nested and not node.name.startswith("_"),
                ast.get_docstring(node) is not None,
            )
        yield from _functions(node, nested=nested or is_function)


def measure(checkout: Path) -> list[Part]:
    """Measures regserver/ of a checkout: the whole first, then each package."""
    package = checkout / "regserver"
    whole = Part("regserver", test_lines=_count_lines(checkout / "tests"))
    packages: dict[str, Part] = {}
    for path in sorted(package.rglob("*.py")):
        source = read(path)
        whole.sources.append(source)
        name = path.relative_to(package).parts[0]
        if name == path.name:
            continue
        part = packages.setdefault(name, Part(name, test_lines=_count_lines(checkout / "tests" / name)))
        part.sources.append(source)
    return [whole, *packages.values()]


def _count_lines(folder: Path) -> int:
    return sum(path.read_text("utf-8").count("\n") for path in folder.rglob("*.py"))


_HEADINGS = (
    "",
    "files",
    "lines med/p90/max",
    "functions",
    "lines med/p90/max",
    "documented",
    "lines",
    "code",
    "imports",
    "comments",
    "docstrings",
    "test÷source",
)


def _row(name: str, part: Part) -> list[str]:
    lines = part.total("lines")
    return [
        name,
        str(len(part.sources)),
        str(part.files),
        str(len(part.functions)),
        str(part.lengths),
        f"{part.documented:.0f} %",
        str(lines),
        str(part.total("code")),
        str(part.total("imports")),
        str(part.total("comments")),
        str(part.total("docstrings")),
        f"{part.test_lines / lines:.2f}",
    ]


def _print_table(parts: list[Part], earlier: list[Part]) -> None:
    """Prints a row for each part, and below it the row of the other checkout if that has the part."""
    before = {part.name: part for part in earlier}
    rows = [list(_HEADINGS)]
    for part in parts:
        rows.append(_row(part.name, part))
        if part.name in before:
            rows.append(_row("  before", before[part.name]))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        print(row[0].ljust(widths[0]), *cells, sep="  ")


def _print_bounds(whole: Part, earlier: list[Part]) -> None:
    """Prints whether each bound holds, and what breaks it."""
    print()
    _verdict("lines of a file", str(whole.files), FILE_BOUNDS, whole.files.within(FILE_BOUNDS))
    _verdict(
        "lines of a function", str(whole.lengths), FUNCTION_BOUNDS, whole.lengths.within(FUNCTION_BOUNDS)
    )
    documented = whole.documented
    _verdict(
        "public functions documented, %",
        f"{documented:.1f}",
        DOCUMENTED_PERCENT,
        documented >= DOCUMENTED_PERCENT,
    )
    if earlier:
        code, before = whole.total("code"), earlier[0].total("code")
        _verdict("lines of code", str(code), f"less than {before}", code < before)
        code, before = code - whole.total("imports"), before - earlier[0].total("imports")
        _verdict("lines of code without imports", str(code), f"less than {before}", code < before)
    for source in whole.sources:
        if source.lines > FILE_BOUNDS[2]:
            print(f"     {source.path.relative_to(ROOT)} has {source.lines} lines")
        for function in source.functions:
            if function.length > FUNCTION_BOUNDS[2]:
                place = f"{source.path.relative_to(ROOT)}:{function.line}"
                print(f"     {place} {function.name} has {function.length} lines")


def _verdict(what: str, value: str, bound: object, held: bool) -> None:
    print(f"{'yes' if held else 'NO '}  {what}: {value} (bound: {bound})")


def _print_undocumented(whole: Part) -> None:
    print()
    for source in whole.sources:
        silent = [it for it in source.functions if it.public and not it.documented]
        if silent:
            names = ", ".join(f"{it.name}:{it.line}" for it in silent)
            print(f"{source.path.relative_to(ROOT)} ({len(silent)}): {names}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python3 -m tests.figures", description="Figures about regserver/.")
    parser.add_argument("checkout", nargs="?", type=Path, help="another version, to print beside this one")
    parser.add_argument("--list", action="store_true", help="name the public functions without a docstring")
    chosen = parser.parse_args()
    parts = measure(ROOT)
    earlier = measure(chosen.checkout) if chosen.checkout else []
    _print_table(parts, earlier)
    _print_bounds(parts[0], earlier)
    if chosen.list:
        _print_undocumented(parts[0])


if __name__ == "__main__":
    main()
