"""The transfer of codes from a measured server to the client: a datagram each, instead of an SMS."""

import socket

from regserver.ports.sms import Sms


class DatagramSms(Sms):
    """Sends `phone text` to a port of this machine."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._address = ("127.0.0.1", port)

    def post(self, phone: str, text: str) -> None:
        self._socket.sendto(f"{phone} {text}".encode(), self._address)

    async def send(self, phone: str, text: str) -> None:
        self.post(phone, text)
