"""Plain HTTP with aiohttp."""

import asyncio
import json
import os

import aiohttp

HELLO = {"model": "sandbox/echo", "messages": [{"role": "user", "content": "Say hello to Ada."}]}


def connect():
    headers = {"authorization": "Bearer " + os.environ["GATEWAY_KEY"]}
    return aiohttp.ClientSession(os.environ["GATEWAY_URL"], headers=headers)


async def check_plain():
    async with connect() as session, session.post("/v1/chat/completions", json=HELLO) as response:
        body = await response.json()
    assert body["choices"][0]["message"]["content"] == "Say hello to Ada."


async def check_stream():
    async with connect() as session, session.post("/v1/chat/completions", json={**HELLO, "stream": True}) as response:
        lines = [line.decode().removeprefix("data: ").strip() async for line in response.content if line.startswith(b"data: ")]
    assert lines.pop() == "[DONE]"
    assert "".join(json.loads(line)["choices"][0]["delta"].get("content", "") for line in lines) == "Say hello to Ada."


async def check_embeddings():
    body = {"model": "sandbox/embed", "input": ["a", "b", "c"], "dimensions": 4}
    async with connect() as session, session.post("/v1/embeddings", json=body) as response:
        vectors = (await response.json())["data"]
    assert [len(each["embedding"]) for each in vectors] == [4, 4, 4]


async def check_fifty_at_a_time():
    async with connect() as session:

        async def ask(number):
            body = {"model": "sandbox/echo", "messages": [{"role": "user", "content": f"number {number}"}]}
            async with session.post("/v1/chat/completions", json=body) as response:
                return (await response.json())["choices"][0]["message"]["content"]

        texts = await asyncio.gather(*[ask(number) for number in range(50)])
    assert texts == [f"number {number}" for number in range(50)]
