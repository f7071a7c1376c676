"""A peer of Tornado: `tornado_peer.py server`, or `client` with targets on the standard input. See ../peer.ts."""

import asyncio
import sys

import tornado
from tornado import httpserver, netutil, web, websocket


def say(text):
    print(text, flush=True)


def answer(ws, message):
    word, _, rest = message.partition(" ") if isinstance(message, str) else ("", "", "")
    if word == "!close":
        code, _, reason = rest.partition(" ")
        ws.close(int(code), reason)
    elif word == "!ping":
        ws.ping(rest.encode())
    else:
        write(ws, message)


def write(ws, message):
    ws.write_message(message, binary=isinstance(message, bytes))


class Echo(websocket.WebSocketHandler):
    def select_subprotocol(self, subprotocols):
        return "chat.v2" if "chat.v2" in subprotocols else None

    def get_compression_options(self):
        return {}

    def open(self):
        say(f"open {self.selected_subprotocol or ''}")

    def on_message(self, message):
        answer(self, message)

    def on_pong(self, data):
        write(self, f"pong {data.decode()}")

    def on_close(self):
        say(f"closed {self.close_code} {self.close_reason or ''}")


async def connect(url, compression):
    options = {"compression_options": {} if compression == "on" else None, "subprotocols": ["chat.v1", "chat.v2"]}
    try:
        ws = await websocket.websocket_connect(url, **options)
    except Exception as error:
        return say(f"failed {error!r}")
    ws.on_pong = lambda data: write(ws, f"pong {data.decode()}")
    say(f"open {ws.selected_subprotocol or ''}")
    while (message := await ws.read_message()) is not None:
        answer(ws, message)
    say(f"closed {ws.close_code} {ws.close_reason or ''}")


async def client():
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        loop.create_task(connect(*line.split()))


async def server():
    sockets = netutil.bind_sockets(0, "127.0.0.1")
    httpserver.HTTPServer(web.Application([("/.*", Echo)])).add_sockets(sockets)
    say(f"port {sockets[0].getsockname()[1]}")
    await asyncio.Future()


say(f"version {tornado.version}")
asyncio.run(server() if sys.argv[1] == "server" else client())
