"""A peer of aiohttp: `aiohttp_peer.py server`, or `client` with targets on the standard input. See ../peer.ts."""

import asyncio
import sys

import aiohttp
from aiohttp import WSMsgType, web


def say(text):
    print(text, flush=True)


async def answer(ws, text):
    word, _, rest = text.partition(" ")
    if word == "!close":
        code, _, reason = rest.partition(" ")
        await ws.close(code=int(code), message=reason.encode())
    elif word == "!ping":
        await ws.ping(rest.encode())
    else:
        await ws.send_str(text)


async def converse(ws, protocol):
    say(f"open {protocol or ''}")
    reason = ""
    while not ws.closed:
        message = await ws.receive()
        if message.type == WSMsgType.TEXT:
            await answer(ws, message.data)
        elif message.type == WSMsgType.BINARY:
            await ws.send_bytes(message.data)
        elif message.type == WSMsgType.PING:
            await ws.pong(message.data)
        elif message.type == WSMsgType.PONG:
            await ws.send_str(f"pong {message.data.decode()}")
        elif message.type == WSMsgType.CLOSE:
            reason = message.extra
    say(f"closed {ws.close_code} {reason}")


async def accept(request):
    ws = web.WebSocketResponse(autoping=False, compress=True, protocols=["chat.v2"], max_msg_size=0)
    await ws.prepare(request)
    await converse(ws, ws.ws_protocol)
    return ws


async def connect(session, url, compression):
    options = {"autoping": False, "max_msg_size": 0, "protocols": ["chat.v1", "chat.v2"]}
    try:
        async with session.ws_connect(url, compress=15 if compression == "on" else 0, **options) as ws:
            await converse(ws, ws.protocol)
    except Exception as error:
        say(f"failed {error!r}")


async def client():
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession() as session:
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            loop.create_task(connect(session, *line.split()))


async def server():
    app = web.Application()
    app.router.add_get("/{path:.*}", accept)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    say(f"port {site._server.sockets[0].getsockname()[1]}")
    await asyncio.Future()


say(f"version {aiohttp.__version__}")
asyncio.run(server() if sys.argv[1] == "server" else client())
