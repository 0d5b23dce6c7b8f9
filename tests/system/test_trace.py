"""A trace that a client names: in the answer, in every line of the log, and in what the server asks of others."""

from pathlib import Path

from tests.peer.http import Answer, Asked, answer, open_http_peer
from tests.system.server import open_server

TRACE = "0af7651916cd43dd8448eb211c80319c"
FIELD = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}


def refuse(asked: Asked) -> Answer:
    return answer({}, 401)


async def test_a_trace_is_told_and_handed_on(tmp_path: Path) -> None:
    async with open_http_peer(refuse) as source:
        settings = ("live.source=http", f"live.http.url={source.url}")
        async with open_server(tmp_path, settings) as server, server.client() as client:
            body = {"username": "ada", "password": "a password of hers"}
            traced = await client.post("/login", json=body, headers=FIELD)
            line = await server.wait_line(lambda line: line["message"] == "POST /login")
            untraced = await client.post("/login", json=body)
            await client.post("/login", json=body, headers={"traceparent": "00-garbage"})
            metrics = (await client.get("/metrics")).text
    assert (traced.status_code, line["trace"]) == (401, TRACE)
    version, trace, span, flags = traced.headers["traceparent"].split("-")
    assert (version, trace, flags) == ("00", TRACE, "01")
    assert span != "b7ad6b7169203331"
    assert "traceparent" not in untraced.headers
    first, *others = [asked.headers.get("traceparent") for asked in source.asked]
    assert (first, others) == (traced.headers["traceparent"], [None, None])
    assert 'regserver_sign_ins_total{outcome="BadCredentials",way="password"} 3.0' in metrics
    assert 'regserver_guesses_total{outcome="wrong"} 3.0' in metrics
    assert "regserver_store_commit_seconds_count" in metrics
