"""What `make try-backup` tries with 100,000 accounts, with some hundreds: both stores, people who sign in, a full disk."""

from pathlib import Path

import pytest

from tests.peer.postgres import Cluster
from tests.system.backup_trial import try_backup


@pytest.mark.parametrize("store", ["SQLite", "PostgreSQL"])
async def test_backups_beside_people_and_on_a_full_disk(tmp_path: Path, store: str, cluster: Cluster) -> None:
    figures = await try_backup(tmp_path, 300, 1, cluster if store == "PostgreSQL" else None)
    assert figures.busy
    assert "no backup was made" in figures.full
