"""pydantic-ai."""

import os

import expect
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

provider = OpenAIProvider(base_url=os.environ["GATEWAY_URL"] + "/v1", api_key=os.environ["GATEWAY_KEY"])


class Person(BaseModel):
    name: str
    age: int


def agent(model="sandbox/echo", **options):
    return Agent(OpenAIChatModel(model, provider=provider), **options)


def check_plain():
    result = agent().run_sync("Say hello to Ada.")
    assert result.output == "Say hello to Ada." and result.usage().output_tokens > 0


async def check_stream():
    async with agent().run_stream("one two three") as stream:
        pieces = [piece async for piece in stream.stream_text(delta=True, debounce_by=None)]
    assert "".join(pieces) == "one two three" and len(pieces) > 2


def check_structured_output():
    assert isinstance(agent(output_type=Person).run_sync("A person.").output, Person)


def check_responses():
    result = Agent(OpenAIResponsesModel("sandbox/echo", provider=provider)).run_sync("Say hello to Ada.")
    assert result.output == "Say hello to Ada."


def check_errors():
    error = expect.raises(ModelHTTPError, lambda: agent("none").run_sync("Hello"))
    assert error.status_code == 404


async def check_cut_stream_raises():
    async def read():
        async with agent("sandbox/cut").run_stream("one two three four") as stream:
            async for _ in stream.stream_text():
                pass

    try:
        await read()
    except Exception as error:
        assert "breaks off" in f"{error}{error.__cause__}", error
    else:
        raise AssertionError("the cut stream did not raise")
