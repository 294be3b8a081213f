"""LiteLLM's library, with the gateway as an OpenAI-compatible provider."""

import asyncio
import os

import expect
import litellm

ACCESS = {"api_base": os.environ["GATEWAY_URL"] + "/v1", "api_key": os.environ["GATEWAY_KEY"], "num_retries": 0, "max_retries": 0}
HELLO = [{"role": "user", "content": "Say hello to Ada."}]


def ask(model="sandbox/echo", **options):
    return litellm.completion(model=f"openai/{model}", messages=HELLO, **ACCESS, **options)


def check_plain():
    completion = ask()
    assert completion.choices[0].message.content == "Say hello to Ada." and completion.usage.total_tokens > 0


def check_stream():
    pieces = [chunk.choices[0].delta.content or "" for chunk in ask(stream=True)]
    assert "".join(pieces) == "Say hello to Ada."


def check_tools():
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": parameters}}]
    assert ask(tools=tools, tool_choice="required").choices[0].message.tool_calls[0].function.name == "get_weather"


def check_embeddings():
    vectors = litellm.embedding(model="openai/sandbox/embed", input=["a", "b"], encoding_format="float", **ACCESS)
    first, second = vectors.data
    assert len(first["embedding"]) == len(second["embedding"]) > 0


def check_responses():
    response = litellm.responses(model="openai/sandbox/echo", input="Say hello to Ada.", **ACCESS)
    assert response.output[0].content[0].text == "Say hello to Ada."


def check_errors():
    expect.raises(litellm.NotFoundError, lambda: ask("none"))
    expect.raises(litellm.RateLimitError, lambda: ask("sandbox/error-429"))


def check_cut_stream_raises():
    expect.raises(Exception, lambda: list(ask("sandbox/cut", stream=True)))


async def check_fifty_at_a_time():
    calls = [litellm.acompletion(model="openai/sandbox/echo", messages=HELLO, **ACCESS) for _ in range(50)]
    texts = {completion.choices[0].message.content for completion in await asyncio.gather(*calls)}
    assert texts == {"Say hello to Ada."}
