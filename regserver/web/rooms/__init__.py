"""The room door: its endpoints, its wire types, its socket."""
