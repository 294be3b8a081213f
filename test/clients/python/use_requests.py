"""Plain HTTP with requests."""

import json
import os
import time

import requests

URL = os.environ["GATEWAY_URL"]
session = requests.Session()
session.headers["authorization"] = "Bearer " + os.environ["GATEWAY_KEY"]
HELLO = [{"role": "user", "content": "Say hello to Ada."}]


def post(path, body, **options):
    return session.post(URL + path, json=body, timeout=60, **options)


def events(model):
    response = post("/v1/chat/completions", {"model": model, "messages": HELLO, "stream": True}, stream=True)
    return [line.removeprefix(b"data: ").decode() for line in response.iter_lines() if line.startswith(b"data: ")]


def check_plain():
    response = post("/v1/chat/completions", {"model": "sandbox/echo", "messages": HELLO})
    assert response.json()["choices"][0]["message"]["content"] == "Say hello to Ada."
    assert response.headers["x-gateway-model"] == "sandbox/echo"


def check_stream():
    *chunks, end = events("sandbox/echo")
    deltas = [json.loads(chunk)["choices"][0]["delta"].get("content", "") for chunk in chunks]
    assert "".join(deltas) == "Say hello to Ada." and end == "[DONE]"


def check_cut_stream_ends_with_an_error():
    last = events("sandbox/cut")[-1]
    assert json.loads(last)["error"]["code"] == "upstream_error", last


def check_batch():
    tasks = [{"custom_id": str(number), "prompt": f"task {number}"} for number in range(50)]
    key = {"idempotency-key": f"python-{time.time_ns()}"}
    submitted = [post("/v1/batch/generate", {"model": "sandbox/echo", "tasks": tasks}, headers=key) for _ in range(2)]
    assert [response.status_code for response in submitted] == [202, 202]
    (job,) = {response.json()["job_id"] for response in submitted}
    while (batch := session.get(f"{URL}/v1/batch/{job}?limit=1", timeout=60).json())["completed_at"] is None:
        time.sleep(0.05)
    assert batch["completed_count"] == 50 and batch["has_more"]
    lines = session.get(f"{URL}/v1/batch/{job}/results", timeout=60).text.splitlines()
    texts = [json.loads(line)["response"]["body"]["choices"][0]["message"]["content"] for line in lines]
    assert texts == [f"task {number}" for number in range(50)]


def check_errors():
    response = post("/v1/chat/completions", {"model": "sandbox/echo"})
    assert response.status_code == 400 and response.json()["error"]["param"] == "messages"
