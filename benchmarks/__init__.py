"""Measurements, side by side with what they are held against. Each folder is one: python -m benchmarks.front, and so on.

process, client   servers and clients as processes, each kind on a core of its own
product           the product, started as an operator would
checkout          an earlier version of the project beside this one
table             rounds, medians, ratios, verdicts
client.h          what the clients in C share
"""
