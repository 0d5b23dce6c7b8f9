"""The configuration: `setting` says what may be set, `load` reads and checks it, `show` writes it back."""

from regserver.config.load import ConfigFault, load
from regserver.config.setting import Loaded, Secret, Section, Settings, Size
from regserver.config.show import mask_url, show

__all__ = ["ConfigFault", "Loaded", "Secret", "Section", "Settings", "Size", "load", "mask_url", "show"]
