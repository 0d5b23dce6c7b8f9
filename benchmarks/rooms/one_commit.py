"""The product with a commit of its own for every unit of work: what group commit is held against."""

import regserver.store.sqlite
from regserver.__main__ import main

regserver.store.sqlite.MAX_BATCH = 1

if __name__ == "__main__":
    main()
