"""The rules of registration, as plain values and pure functions.

Nothing here waits, reads a clock, draws a random number or touches a file: time and randomness come in as arguments.
"""
