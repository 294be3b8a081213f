"""The official library."""

import asyncio
import json
import os
import time

import openai
import expect
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

URL, KEY = os.environ["GATEWAY_URL"] + "/v1", os.environ["GATEWAY_KEY"]
client = OpenAI(base_url=URL, api_key=KEY, max_retries=0)
HELLO = [{"role": "user", "content": "Say hello to Ada."}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


class Person(BaseModel):
    name: str
    age: int


def check_plain():
    completion = client.chat.completions.create(model="sandbox/echo", messages=HELLO)
    assert completion.choices[0].message.content == "Say hello to Ada."
    assert completion.usage.total_tokens > 0


def check_raw_response():
    raw = client.chat.completions.with_raw_response.create(model="sandbox/echo", messages=HELLO)
    assert raw.headers["x-gateway-provider"] == "sandbox"
    assert raw.headers["x-request-id"] == raw.parse()._request_id


async def check_async():
    async with AsyncOpenAI(base_url=URL, api_key=KEY, max_retries=0) as asynchronous:
        completion = await asynchronous.chat.completions.create(model="sandbox/echo", messages=HELLO)
        stream = await asynchronous.chat.completions.create(model="sandbox/echo", messages=HELLO, stream=True)
        pieces = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
    assert "".join(pieces) == completion.choices[0].message.content == "Say hello to Ada."
    assert len(pieces) > 2


def check_stream():
    options = {"include_usage": True}
    model = os.environ["GATEWAY_MODEL"]
    stream = client.chat.completions.create(model=model, messages=HELLO, stream=True, stream_options=options)
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Say hello to Ada."
    assert chunks[-1].usage.total_tokens > 0


def check_stream_helper():
    with client.chat.completions.stream(model="sandbox/echo", messages=HELLO) as stream:
        kinds = [event.type for event in stream]
        assert stream.get_final_completion().choices[0].message.content == "Say hello to Ada."
    assert "content.delta" in kinds and kinds[-1] == "content.done", kinds


def check_tools():
    completion = client.chat.completions.create(model="sandbox/echo", messages=HELLO, tools=[WEATHER], tool_choice="required")
    (call,) = completion.choices[0].message.tool_calls
    assert call.function.name == "get_weather" and "city" in call.function.arguments
    result = {"role": "tool", "tool_call_id": call.id, "content": "18 degrees"}
    following = client.chat.completions.create(
        model="sandbox/echo", messages=[*HELLO, completion.choices[0].message, result], tools=[WEATHER], tool_choice="none"
    )
    assert following.choices[0].finish_reason == "stop"


def check_structured_output():
    completion = client.chat.completions.parse(model="sandbox/echo", messages=HELLO, response_format=Person)
    assert isinstance(completion.choices[0].message.parsed, Person)


def check_embeddings():
    vectors = client.embeddings.create(model="sandbox/embed", input=["a station", "a park"], dimensions=8)
    assert [len(each.embedding) for each in vectors.data] == [8, 8]


def check_responses():
    first = client.responses.create(model="sandbox/echo", input="Say hello to Ada.")
    assert first.output_text == "Say hello to Ada."
    following = client.responses.create(model="sandbox/echo", input="And to Grace.", previous_response_id=first.id)
    assert client.responses.retrieve(following.id).output_text == "And to Grace."
    with client.responses.stream(model="sandbox/echo", input="one two") as stream:
        assert [event.type for event in stream][-1] == "response.completed"
    parsed = client.responses.parse(model="sandbox/echo", input="A person.", text_format=Person)
    assert isinstance(parsed.output_parsed, Person)
    client.responses.delete(first.id)
    expect.raises(openai.NotFoundError, lambda: client.responses.retrieve(first.id))


def check_models():
    assert "sandbox/echo" in [model.id for model in client.models.list()]
    assert client.models.retrieve("sandbox/echo").owned_by == "sandbox"


def check_errors():
    def ask(model="sandbox/echo", using=client, **options):
        return lambda: using.chat.completions.create(model=model, messages=HELLO, **options)

    assert expect.raises(openai.NotFoundError, ask("none")).code == "model_not_found"
    assert expect.raises(openai.BadRequestError, ask(temperature=9)).param == "temperature"
    assert expect.raises(openai.RateLimitError, ask("sandbox/error-429")).response.headers["retry-after"]
    assert expect.raises(openai.InternalServerError, ask("sandbox/error-500")).status_code >= 500
    expect.raises(openai.AuthenticationError, ask(using=client.with_options(api_key="gw_wrong")))


def check_cut_stream_raises():
    pieces = []

    def read():
        for chunk in client.chat.completions.create(model="sandbox/cut", messages=HELLO, stream=True):
            pieces.append(chunk)

    expect.raises(openai.APIError, read)
    assert pieces


async def check_fifty_at_a_time():
    async with AsyncOpenAI(base_url=URL, api_key=KEY, max_retries=0) as asynchronous:

        async def ask(number):
            stream = await asynchronous.chat.completions.create(
                model="sandbox/echo", messages=[{"role": "user", "content": f"number {number} of fifty"}], stream=True
            )
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])

        texts = await asyncio.gather(*[ask(number) for number in range(50)])
    assert texts == [f"number {number} of fifty" for number in range(50)]


def check_batches():
    lines = [
        {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": {"model": model, "messages": HELLO}}
        for name, model in [("a", "sandbox/echo"), ("b", "fast")]
    ]
    content = "\n".join(json.dumps(line) for line in lines).encode()
    file = client.files.create(file=("requests.jsonl", content), purpose="batch")
    assert client.files.wait_for_processing(file.id).status == "processed"
    assert client.files.content(file.id).content == content
    batch = client.batches.create(
        input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h", metadata={"run": "1"}
    )
    assert batch.status == "validating" and batch.metadata == {"run": "1"}
    while batch.status not in ("completed", "failed"):
        time.sleep(0.1)
        batch = client.batches.retrieve(batch.id)
    assert batch.status == "completed" and batch.errors is None
    assert (batch.request_counts.total, batch.request_counts.completed) == (2, 2)
    results = [json.loads(line) for line in client.files.content(batch.output_file_id).text.splitlines()]
    assert [result["custom_id"] for result in results] == ["a", "b"]
    assert results[0]["response"]["body"]["choices"][0]["message"]["content"] == "Say hello to Ada."
    assert batch.usage.total_tokens == sum(result["response"]["body"]["usage"]["total_tokens"] for result in results)
    assert [each.id for each in client.batches.list(limit=1).data] == [batch.id]
    assert client.files.delete(file.id).deleted
