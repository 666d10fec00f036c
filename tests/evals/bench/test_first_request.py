"""The recorder keeps what it is sent, and the table adds up what was counted."""

import httpx

from evals.bench.first_request import PARTS, FirstRequest, recorder, table


def test_the_recorder_keeps_a_request_and_ends_the_conversation() -> None:
    asked = {"model": "m", "messages": [{"role": "user", "content": "why?"}], "tools": []}
    with recorder() as (port, bodies):
        answer = httpx.post(
            f"http://127.0.0.1:{port}/v1/chat/completions", json=asked, trust_env=False
        ).json()
    assert bodies == [asked]
    assert answer["choices"][0]["finish_reason"] == "stop"


def test_the_table_has_every_part_its_sum_and_the_toolsets() -> None:
    requests = [
        FirstRequest("ours", dict.fromkeys(PARTS, ""), 13),
        FirstRequest("theirs", dict.fromkeys(PARTS, ""), 11, ("bash", "internet")),
    ]
    text = table(requests, [dict(zip(PARTS, (1, 2, 3, 4), strict=True)), dict.fromkeys(PARTS, 5)])
    assert "| ours | 13 | 1 | 2 | 3 | 4 | 10 |" in text
    assert "| theirs | 11 | 5 | 5 | 5 | 5 | 20 |" in text
    assert "theirs had these toolsets enabled: bash, internet." in text
