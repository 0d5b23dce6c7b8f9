"""The product with a commit of its own for every unit of work: the yardstick of group commit."""

import regserver.store.sqlite.sqlite_store
from regserver.__main__ import main

regserver.store.sqlite.sqlite_store.MAX_BATCH = 1

if __name__ == "__main__":
    main()
