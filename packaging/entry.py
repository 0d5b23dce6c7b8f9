"""What PyInstaller starts from: it takes a script, not a package."""

from regserver.__main__ import main

main()
