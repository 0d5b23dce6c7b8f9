"""Programs that the tests run against and that no Python package brings.

`tests/peer/install` installs them. Under CI a missing program fails the test. Elsewhere the test is skipped and says what to
install.
"""

import os
import shutil
from typing import NoReturn

import pytest

# Servers lie in folders that the PATH of an ordinary user lacks.
_FOLDERS = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"])


def find_program(package: str, *names: str) -> str:
    """Returns the path of the first of these programs that is there.

    Args:
        package: The Debian package that has the program.
        names: What the program may be called.
    """
    for name in names:
        if (found := shutil.which(name, path=_FOLDERS)) is not None:
            return found
    report_missing(f"{' or '.join(names)} is not here: install the package {package}")


def report_missing(reason: str) -> NoReturn:
    """Fails the test under CI, where every peer must be there, and skips it elsewhere."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
