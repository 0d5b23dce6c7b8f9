"""`regserver config check` looks at what the configuration points to as well."""

from pathlib import Path

import pytest

from regserver.cli import run


def test_templates_are_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "confirm.en.txt").write_text("Subject: x\n\n{{ lnik }}\n")
    file = tmp_path / "regserver.toml"
    file.write_text('[mail]\ntemplates = "."\n')
    assert run(["config", "check", "--config", str(file)]) == 2
    assert "mail.templates: confirm.en.txt: 'lnik' is undefined" in capsys.readouterr().err
    (tmp_path / "confirm.en.txt").write_text("Subject: x\n\n{{ link }}\n")
    assert run(["config", "check", "--config", str(file)]) == 0
    assert "fine" in capsys.readouterr().out
