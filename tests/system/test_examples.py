"""The example project, as somebody has it who installs the package: in an environment of its own, from a wheel.

The packages come from where pip is configured to get them.
"""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.system.server import ROOT

EXAMPLE = ROOT / "examples" / "greeter"
BUILD_SECONDS, INSTALL_SECONDS, TEST_SECONDS = 120, 300, 120


def run(words: list[str | Path], seconds: int, folder: Path) -> str:
    """Its output. Fails when it does, or takes longer."""
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build_wheel(folder: Path) -> Path:
    """A wheel of what stands here, without what earlier builds have left."""
    source = folder / "source"
    source.mkdir()
    skipped = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(ROOT / "regserver", source / "regserver", ignore=skipped)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    run([*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, source], BUILD_SECONDS, folder)
    (wheel,) = folder.glob("regserver-*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_has_every_file_of_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("regserver/")}
    here = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "regserver").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert here - packed == set()


def test_the_example_passes_its_tests_beside_an_installed_wheel(wheel: Path, tmp_path: Path) -> None:
    example = shutil.copytree(EXAMPLE, tmp_path / "greeter")
    run([sys.executable, "-m", "venv", "own"], BUILD_SECONDS, tmp_path)
    python = tmp_path / "own" / "bin" / "python"
    pip: list[str | Path] = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    run([*pip, f"regserver[testing] @ {wheel.as_uri()}", f"{example}[test]"], INSTALL_SECONDS, tmp_path)
    # The package itself is not there, so that only what the wheel has is found.
    where = run([python, "-c", "import regserver; print(regserver.__file__)"], TEST_SECONDS, tmp_path)
    assert Path(where.strip()).is_relative_to(tmp_path / "own")
    assert " passed" in run([python, "-m", "pytest", "-q"], TEST_SECONDS, example)
