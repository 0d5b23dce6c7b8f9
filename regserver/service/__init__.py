"""The use cases, one method each: policy and transaction.

A method returns its result or a refusal of `regserver.domain.outcome`. Slow work (password hashing, a source's answer) is
done before the write transaction, never inside it.
"""
