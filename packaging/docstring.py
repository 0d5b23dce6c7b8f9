"""Compiles modules without their docstrings, which nobody reads in the executable: some MiB of an idle server.

Unlike Python's -OO, asserts stay.
"""

import ast
from pathlib import Path
from types import CodeType

READ = ("dns", "regserver.cli", "regserver.domain", "regserver.errors", "regserver.service", "regserver.web")
"""Packages whose docstrings are used: dnspython's are its messages, and ours the texts of the documents of all routes."""

OWNERS = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def may_lose_docstrings(name: str) -> bool:
    """Whether nothing reads the docstrings of a module."""
    return not any(name == package or name.startswith(f"{package}.") for package in READ)


def compile_without(path: str) -> CodeType:
    """The module's code. Line numbers stay those of the file."""
    tree = ast.parse(Path(path).read_bytes(), path)
    for node in ast.walk(tree):
        if isinstance(node, OWNERS):
            while ast.get_docstring(node, clean=False) is not None:
                del node.body[0]
            if not node.body and not isinstance(node, ast.Module):
                node.body.append(ast.Pass(lineno=node.lineno, col_offset=node.col_offset))
    return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True, optimize=0)
