"""Points of secp256k1, checked by libsecp256k1."""

import coincurve


def on_curve(key: bytes) -> bool:
    """Whether the 33 bytes are a compressed point of the curve."""
    try:
        coincurve.PublicKey(key)
    except ValueError:
        return False
    return len(key) == 33
