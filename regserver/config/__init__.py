"""The configuration: `setting` declares it, `load` reads it, `check` finds faults, `show` prints it."""

from regserver.config.fault import ConfigFault
from regserver.config.load import load
from regserver.config.place import PostgresPlace, SqlitePlace, StorePlace, store_place
from regserver.config.section import Secret, Section
from regserver.config.setting import Loaded, Settings
from regserver.config.show import masked, show
from regserver.config.unit import Size

__all__ = [
    "ConfigFault",
    "Loaded",
    "PostgresPlace",
    "Secret",
    "Section",
    "Settings",
    "Size",
    "SqlitePlace",
    "StorePlace",
    "load",
    "masked",
    "show",
    "store_place",
]
