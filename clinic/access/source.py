"""Where a request comes from: the address of the connection, unless a proxy that the installation trusts says otherwise."""
from ipaddress import ip_address, ip_network

from django.conf import settings


def source(get_response):
    """Sets REMOTE_ADDR to the caller's own address. Without TRUSTED_PROXIES no header can move it."""
    trusted = [ip_network(text) for text in settings.TRUSTED_PROXIES]

    def middleware(request):
        if trusted:
            request.META["REMOTE_ADDR"] = caller(
                request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", ""), trusted)
        return get_response(request)
    return middleware


def caller(peer, forwarded, trusted):
    """The last address in the chain that is no trusted proxy's: what stands left of it anybody can write."""
    chain = [part.strip() for part in forwarded.split(",") if part.strip()] + [peer]
    last = peer
    for text in reversed(chain):
        try:
            address = ip_address(text)
        except ValueError:
            return last
        last = str(address)
        if not any(address in network for network in trusted):
            return last
    return last


def network_of(request):
    """The source that a request counts for; see `network`."""
    return network(request.META.get("REMOTE_ADDR", ""))


def network(text):
    """What counts as one source: an IPv4 address, or the /64 network that one IPv6 customer has to himself."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if address.version == 6 and address.ipv4_mapped is None:
        return str(ip_network((address, 64), strict=False).network_address)
    return str(getattr(address, "ipv4_mapped", None) or address)
