"""A peer of Python's websockets: `websockets_peer.py server`, or `client` with targets on the standard input. See ../peer.ts."""

import asyncio
import sys

import websockets

PARTS = ["part one, ", "part two, ", "part three"]


def say(text):
    print(text, flush=True)


async def answer(ws, message):
    word, _, rest = message.partition(" ") if isinstance(message, str) else ("", "", "")
    if word == "!close":
        code, _, reason = rest.partition(" ")
        await ws.close(int(code), reason)
    elif word == "!ping":
        await (await ws.ping(rest))
        await ws.send(f"pong {rest}")
    elif word == "!parts":
        await ws.send(PARTS)
    else:
        await ws.send(message)


async def converse(ws):
    say(f"open {ws.subprotocol or ''}")
    try:
        async for message in ws:
            await answer(ws, message)
    except websockets.ConnectionClosed:
        pass
    say(f"closed {ws.close_code} {ws.close_reason}")


async def connect(url, compression):
    options = {"compression": "deflate" if compression == "on" else None, "subprotocols": ["chat.v1", "chat.v2"]}
    try:
        async with websockets.connect(url, **options) as ws:
            await converse(ws)
    except Exception as error:
        say(f"failed {error!r}")


async def client():
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        loop.create_task(connect(*line.split()))


async def server():
    async with websockets.serve(converse, "127.0.0.1", 0, subprotocols=["chat.v2"]) as listening:
        say(f"port {listening.sockets[0].getsockname()[1]}")
        await asyncio.Future()


say(f"version {websockets.version.version}")
asyncio.run(server() if sys.argv[1] == "server" else client())
