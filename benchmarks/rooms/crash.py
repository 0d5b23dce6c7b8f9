"""Kills the started server under load and checks what it promised: python -m benchmarks.rooms.crash [--kills N]

The checker lives with the tests, which run a short round of it.
"""

from tests.crash.__main__ import main

if __name__ == "__main__":
    main()
