"""LangChain's chat model and embeddings."""

import asyncio
import os

import expect
import openai
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel

ACCESS = {"base_url": os.environ["GATEWAY_URL"] + "/v1", "api_key": os.environ["GATEWAY_KEY"], "max_retries": 0}
chat = ChatOpenAI(model="sandbox/echo", **ACCESS)


class Person(BaseModel):
    name: str
    age: int


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"18 degrees in {city}"


def check_plain():
    message = chat.invoke("Say hello to Ada.")
    assert message.content == "Say hello to Ada." and message.usage_metadata["total_tokens"] > 0


def check_stream():
    pieces = [chunk.content for chunk in chat.stream("one two three")]
    assert "".join(pieces) == "one two three" and len(pieces) > 2


def check_tools():
    message = chat.bind_tools([get_weather], tool_choice="any").invoke("How is the weather?")
    (call,) = message.tool_calls
    assert "18 degrees" in get_weather.invoke(call).content


def check_structured_output():
    for method in ("json_schema", "function_calling"):
        assert isinstance(chat.with_structured_output(Person, method=method).invoke("A person."), Person)


def check_embeddings():
    embeddings = OpenAIEmbeddings(model="sandbox/embed", dimensions=8, check_embedding_ctx_length=False, **ACCESS)
    assert [len(vector) for vector in embeddings.embed_documents(["a station", "a park"])] == [8, 8]


def check_responses():
    message = ChatOpenAI(model="sandbox/echo", use_responses_api=True, **ACCESS).invoke("Say hello to Ada.")
    assert message.text == "Say hello to Ada.", message


def check_cut_stream_raises():
    expect.raises(openai.APIError, lambda: list(ChatOpenAI(model="sandbox/cut", **ACCESS).stream("one two three four")))


async def check_fifty_at_a_time():
    messages = await asyncio.gather(*[chat.ainvoke(f"number {number}") for number in range(50)])
    assert [message.content for message in messages] == [f"number {number}" for number in range(50)]
