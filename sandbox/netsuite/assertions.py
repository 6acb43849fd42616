"""Signed JSON web tokens as the token endpoint takes them: PS256 to PS512 and ES256 to ES512, never RS256.

Source: RFC 7515, RFC 7518; NetSuite help, "The Request Token Structure".
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

_HASHES: Final = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_CURVES: Final = {"ES256": ("secp256r1", 32), "ES384": ("secp384r1", 48), "ES512": ("secp521r1", 66)}
_PARTS: Final = 3


class BadAssertionError(ValueError):
    """An assertion that cannot be read, or whose signature is not right."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """A JSON web token, read and not verified."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes


def read_assertion(text: str) -> Assertion:
    """Read a token.

    Raises:
        BadAssertionError: It is none.
    """
    parts = text.split(".")
    if len(parts) != _PARTS:
        raise BadAssertionError("not a signed token")
    try:
        header, claims, signature = (_decoded(part) for part in parts)
        read = Assertion(
            dict(orjson.loads(header)), dict(orjson.loads(claims)), ".".join(parts[:2]).encode(), signature
        )
    except (ValueError, TypeError, binascii.Error) as error:
        raise BadAssertionError("not a signed token") from error
    return read


def verify(assertion: Assertion, public_key: bytes) -> None:
    """Check the signature of a token against a public key in PEM.

    Raises:
        BadAssertionError: It is not that key's, or of an algorithm that is not taken.
    """
    algorithm = str(assertion.header.get("alg", ""))
    key = serialization.load_pem_public_key(public_key)
    hashed = _HASHES.get(algorithm[2:])
    try:
        if algorithm[:2] == "PS" and hashed is not None and isinstance(key, rsa.RSAPublicKey):
            pss = padding.PSS(mgf=padding.MGF1(hashed), salt_length=hashed.digest_size)
            key.verify(assertion.signature, assertion.signed, pss, hashed)
        elif algorithm in _CURVES and hashed is not None and isinstance(key, ec.EllipticCurvePublicKey):
            curve, size = _CURVES[algorithm]
            if key.curve.name != curve or len(assertion.signature) != 2 * size:
                raise BadAssertionError("the key is of another curve")
            r, s = (int.from_bytes(half, "big") for half in (assertion.signature[:size], assertion.signature[size:]))
            key.verify(encode_dss_signature(r, s), assertion.signed, ec.ECDSA(hashed))
        else:
            raise BadAssertionError(f"algorithm {algorithm or 'none'} is not taken")
    except InvalidSignature as error:
        raise BadAssertionError("the signature is not right") from error


def new_key_pair() -> tuple[bytes, bytes]:
    """Make a key pair on P-256: private and public, PEM."""
    private = ec.generate_private_key(ec.SECP256R1())
    return (
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
    )


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
