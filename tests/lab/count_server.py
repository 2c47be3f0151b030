"""Answers each connection, at its end, with the number of bytes it sent: `python count_server.py ADDRESS PORT`."""

import asyncio
import sys


async def serve(address: str, port: int) -> None:
    """Serve for ever."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(str(len(await reader.read())).encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, address, port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
