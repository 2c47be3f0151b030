"""A target: answers GET / with what it was asked, as JSON, and misbehaves on request.

    python target_server.py ADDRESS PORT NAME

/status/N answers N; /slow/S answers after S seconds; /close ends the connection unanswered; /garbage is no HTTP.
"""

import asyncio
import json
import sys


async def serve(address: str, port: int, name: str) -> None:
    """Serve for ever."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                if not await respond(writer, lines[0].split()[1], lines):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def respond(writer: asyncio.StreamWriter, path: str, lines: list[str]) -> bool:
        what, _, argument = path.removeprefix("/").partition("/")
        if what == "close":
            return False
        if what == "garbage":
            writer.write(b"this is not HTTP\r\n\r\n")
            return False
        if what == "slow":
            await asyncio.sleep(float(argument))
        status = argument if what == "status" else "200"
        body = json.dumps({"name": name, "line": lines[0], "headers": [x for x in lines[1:] if x]}).encode()
        head = f"HTTP/1.1 {status} Whatever\r\nServer: target/1\r\nX-MiXed: yes\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        return True

    server = await asyncio.start_server(answer, address, port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
