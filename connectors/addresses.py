"""Which network addresses the product may connect to: public ones, and those that the operator allows.

Checked on the address that a connection is about to use, after name resolution,
so that no name, spelling or change of DNS gets around it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Ranges that ipaddress calls global though they reach, translate to, or can carry private addresses.
_NOT_PUBLIC: tuple[Network, ...] = tuple(
    map(
        ip_network,
        (
            "192.0.0.0/24",  # IETF protocol assignments
            "192.88.99.0/24",  # 6to4 relays
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
            "64:ff9b::/96",  # NAT64
            "64:ff9b:1::/48",  # NAT64, local use
            "2001::/23",  # IETF protocol assignments, Teredo, ORCHID
            "2002::/16",  # 6to4
            "3fff::/20",  # documentation
        ),
    )
)
_PUBLIC_IPV6 = IPv6Network("2000::/3")


class Blocked(OSError):
    """The connection is refused; `mark` tells it among the errors of several addresses of one name."""

    mark = "blocked by the guard"

    def __init__(self, why: str) -> None:
        super().__init__(f"{self.mark}: {why}")


def canonical(address: str) -> Address:
    """Read an address; an IPv4 address inside an IPv6 one is read as itself.

    Raises:
        ValueError: It is no address.
    """
    read = ip_address(address.partition("%")[0])
    if isinstance(read, IPv6Address) and read.ipv4_mapped is not None:
        return read.ipv4_mapped
    return read


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the public internet."""
    if isinstance(address, IPv6Address) and address not in _PUBLIC_IPV6:
        return False
    known = any(address in network for network in _NOT_PUBLIC if network.version == address.version)
    return address.is_global and not known


@dataclass(frozen=True, slots=True)
class Allowed:
    """A network that may be reached beside the public ones.

    Attributes:
        network: The addresses.
        port: The only port; None allows all.
    """

    network: Network
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """Decides which addresses may be connected to.

    Attributes:
        allowed: Networks of the operator's own; empty allows public addresses only.
    """

    allowed: tuple[Allowed, ...] = ()

    @classmethod
    def of(cls, networks: Iterable[str]) -> "Guard":
        """Read networks: `10.1.0.0/16`, or `127.0.0.1/32@8100` for one port.

        Raises:
            ValueError: A network or port is malformed.
        """
        allowed = []
        for text in networks:
            network, at, port = text.strip().partition("@")
            number = int(port) if at else None
            if number is not None and not 1 <= number <= 65535:
                raise ValueError(f"{text!r}: a port is 1 to 65535")
            allowed.append(Allowed(ip_network(network), number))
        return cls(tuple(allowed))

    def check(self, address: str, port: int, *, encrypted: bool) -> None:
        """Refuse a connection.

        Args:
            address: The address about to be connected to.
            encrypted: TLS will be spoken; credentials go to public addresses only so.

        Raises:
            Blocked: It is not public and not allowed, or public and not encrypted.
        """
        read = canonical(address)
        for each in self.allowed:
            same_kind = each.network.version == read.version
            if same_kind and read in each.network and each.port in (None, port):
                return
        if not is_public(read):
            raise Blocked("the address is not public, and the operator has not allowed it")
        if not encrypted:
            raise Blocked("public addresses are reached by https only")
