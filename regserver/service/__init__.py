"""The use cases, one method each: policy and the transaction live here.

A method returns its result or a refusal of `regserver.domain.outcome`. It opens at most one write transaction, and
does slow work (password hashing, a source's answer) before it, never inside.
"""
