"""The rules of registration, as plain values and pure functions.

No function here waits, reads a clock or a file, or draws a random number: time and randomness are arguments.
"""
