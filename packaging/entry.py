"""The script that PyInstaller packs, as it takes a script and no package."""

from regserver.__main__ import main

main()
