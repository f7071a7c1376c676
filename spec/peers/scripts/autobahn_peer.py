"""A peer of Autobahn over asyncio: `autobahn_peer.py server`, or `client` with targets on the standard input. See ../peer.ts."""

import asyncio
import sys
from urllib.parse import urlsplit

import autobahn
from autobahn.asyncio import websocket
from autobahn.websocket.compress import (
    PerMessageDeflateOffer,
    PerMessageDeflateOfferAccept,
    PerMessageDeflateResponseAccept,
)

# A busy machine takes longer than the second of the defaults.
PATIENCE = {"openHandshakeTimeout": 20, "closeHandshakeTimeout": 20, "serverConnectionDropTimeout": 20}
PARTS = "part one, part two, part three"


def say(text):
    print(text, flush=True)


class Conversation:
    def onOpen(self):
        say(f"open {self.websocket_protocol_in_use or ''}")

    def onMessage(self, payload, isBinary):
        word, _, rest = ("", "", "") if isBinary else payload.decode().partition(" ")
        if word == "!close":
            code, _, reason = rest.partition(" ")
            self.sendClose(int(code), reason)
        elif word == "!ping":
            self.sendPing(rest.encode())
        elif word == "!parts":
            self.sendMessage(PARTS.encode(), fragmentSize=10)
        else:
            self.sendMessage(payload, isBinary)

    def onPong(self, payload):
        self.sendMessage(f"pong {payload.decode()}".encode())

    def onClose(self, wasClean, code, reason):
        say(f"closed {code} {reason or ''}")


class Server(Conversation, websocket.WebSocketServerProtocol):
    def onConnect(self, request):
        return "chat.v2" if "chat.v2" in request.protocols else None


class Client(Conversation, websocket.WebSocketClientProtocol):
    pass


def accept_offer(offers):
    for offer in offers:
        if isinstance(offer, PerMessageDeflateOffer):
            return PerMessageDeflateOfferAccept(offer)


async def connect(url, compression):
    factory = websocket.WebSocketClientFactory(url, protocols=["chat.v1", "chat.v2"])
    factory.protocol = Client
    offers = [PerMessageDeflateOffer()] if compression == "on" else []
    factory.setProtocolOptions(
        perMessageCompressionOffers=offers,
        perMessageCompressionAccept=lambda response: PerMessageDeflateResponseAccept(response),
        **PATIENCE,
    )
    target = urlsplit(url)
    await asyncio.get_running_loop().create_connection(factory, target.hostname, target.port)


async def client():
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        loop.create_task(connect(*line.split()))


async def server():
    factory = websocket.WebSocketServerFactory(protocols=["chat.v2"])
    factory.protocol = Server
    patience = {name: seconds for name, seconds in PATIENCE.items() if not name.startswith("server")}
    factory.setProtocolOptions(perMessageCompressionAccept=accept_offer, **patience)
    listening = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    say(f"port {listening.sockets[0].getsockname()[1]}")
    await asyncio.Future()


say(f"version {autobahn.__version__}")
asyncio.run(server() if sys.argv[1] == "server" else client())
