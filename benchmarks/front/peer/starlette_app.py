"""Starlette on uvicorn with uvloop and httptools. Usage: starlette_app PORT"""

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def rpc(request: Request) -> JSONResponse:
    call = await request.json()
    return JSONResponse({"jsonrpc": "2.0", "id": call["id"], "result": {"status": "OK"}})


app = Starlette(routes=[Route("/rpc", rpc, methods=["POST"])])

if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
    )
